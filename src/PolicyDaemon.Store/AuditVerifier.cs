using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Store;

/// <summary>Walks the audit chain from its first row to its last.</summary>
internal static class AuditVerifier
{
    private const int ProgressStep = 1000;

    internal static AuditVerification Verify(SqliteConnection connection, string storeId, string? headHash, IProgress<long>? progress)
    {
        var head = AuditHead.Empty;
        var found = headHash is null;
        foreach (var row in AuditLog.After(connection, 0))
        {
            if (AuditChain.Problem(storeId, head, row) is { } problem)
                return new AuditVerification(head.Sequence, head, problem);
            head = new AuditHead(row.Sequence, row.Hash);
            found |= string.Equals(row.Hash, headHash, StringComparison.OrdinalIgnoreCase);
            if (head.Sequence % ProgressStep == 0)
                progress?.Report(head.Sequence);
        }

        progress?.Report(head.Sequence);
        return new AuditVerification(
            head.Sequence, head, found ? null : $"the chain is sound, but the hash {headHash} does not stand in it: rows were cut off or the log was written anew");
    }
}
