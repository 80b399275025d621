using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Walks the audit chain from its first row to its last, then compares the present entries with what it leads to.</summary>
[DapperAot]
internal static class AuditVerifier
{
    private const int ProgressStep = 1000;

    internal static AuditVerification Verify(SqliteConnection connection, string storeId, string? headHash, IProgress<long>? progress)
    {
        // Log and entries of one moment, whoever writes meanwhile. (A single word would be a stored procedure to Dapper.)
        connection.Execute("BEGIN DEFERRED");
        try
        {
            return VerifyMoment(connection, storeId, headHash, progress);
        }
        finally
        {
            connection.Execute("ROLLBACK");
        }
    }

    private static AuditVerification VerifyMoment(SqliteConnection connection, string storeId, string? headHash, IProgress<long>? progress)
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
        return new AuditVerification(head.Sequence, head, found
            ? Unlogged(connection)
            : $"the chain is sound, but the hash {headHash} does not stand in it: rows were cut off or the log was written anew");
    }

    /// <summary>Who writes past the log leaves it sound; the entries then differ from their last rows.</summary>
    private static string? Unlogged(SqliteConnection connection)
    {
        // Digests instead of the JSON itself: a million entries fit.
        var logged = new Dictionary<string, UInt128?>(StringComparer.Ordinal);
        foreach (var row in LastRows(connection))
            logged[row.Key] = row.After is null ? null : Digest(row.After);
        var differing = new List<Destination>();
        using var destinations = new DestinationTable(connection);
        foreach (var stored in destinations.List("%"))
        {
            if (!logged.Remove(stored.Key, out var after) || after is null)
                return $"the log is sound, but the entry {stored.Key} is not from it: it was added past the log";
            if (stored.Value is not { } destination)
                return Changed(stored.Key);
            if (Digest(DestinationMapping.ToJson(destination)) != after)
                differing.Add(destination);
        }

        // An earlier version may have written the same entry in other words.
        if (differing.Find(destination => !IsLastLogged(connection, destination)) is { } changed)
            return Changed(changed.Key.Text);
        return logged.FirstOrDefault(item => item.Value is not null).Key is { } gone
            ? $"the log is sound, but the entry {gone} is gone: it was removed past the log"
            : null;
    }

    private static string Changed(string key) => $"the log is sound, but the entry {key} is not as its last row left it: it was changed past the log";

    private static bool IsLastLogged(SqliteConnection connection, Destination destination)
    {
        var row = AuditLog.NewestOf(connection, destination.Key.Text, 1).First();
        return row.After is { } json && DestinationMapping.Says(json, destination);
    }

    private static UInt128 Digest(string json) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(json)));

    private static IEnumerable<LoggedEntryRow> LastRows(SqliteConnection connection) =>
        connection.Query<LoggedEntryRow>(
            """
            SELECT a.key AS Key, a.after AS After FROM audit a
            JOIN (SELECT max(sequence) AS sequence FROM audit WHERE key IS NOT NULL GROUP BY key) last ON last.sequence = a.sequence
            """,
            buffered: false);
}
