using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>Verifies the audit chain from its first row to its last, then compares the entries that the log leads to with those that the store holds.</summary>
/// <remarks>
/// The chain covers its own rows, with the change that each belongs to. What it does not cover is compared: rows that are not in it
/// (with a number below 1, or changes without a row), the end of the log as it is noted, when the store was made, and the present
/// entries. The caller holds a transaction, so that everything read is of one moment.
/// </remarks>
internal static class AuditVerifier
{
    internal const int ProgressStep = 1000;

    internal static AuditVerification Verify(DbConnection connection, string storeId, string? headHash, IProgress<long>? progress)
    {
        var head = AuditHead.Empty;
        var found = headHash is null;
        AuditRow? first = null;
        foreach (var row in AuditLog.After(connection, 0))
        {
            if (AuditChain.Problem(storeId, head, row) is { } problem)
                return new AuditVerification(head.Sequence, head, problem);
            first ??= row;
            head = new AuditHead(row.Sequence, row.Hash);
            found |= string.Equals(row.Hash, headHash, StringComparison.OrdinalIgnoreCase);
            if (head.Sequence % ProgressStep == 0)
                progress?.Report(head.Sequence);
        }

        progress?.Report(head.Sequence);
        return new AuditVerification(head.Sequence, head, found
            ? Beside(connection) ?? End(connection, head) ?? Beginning(connection, first) ?? Unlogged(connection)
            : $"the chain is sound, but the hash {headHash} does not stand in it: rows were cut off or the log was written anew");
    }

    /// <summary>Finds rows that no hash of the chain covers.</summary>
    private static string? Beside(DbConnection connection)
    {
        if (connection.ExecuteScalar<long?>("SELECT min(sequence) FROM audit") is < 1 and var early)
            return string.Create(CultureInfo.InvariantCulture, $"the chain is sound, but there is a row {early} before its first: it was added past the log");
        return connection.ExecuteScalar<long?>(
            """
            SELECT min(c.id) FROM change c WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.change_id = c.id)
            """) is { } change
            ? string.Create(CultureInfo.InvariantCulture, $"the chain is sound, but change {change} has no row in it: it was added past the log")
            : null;
    }

    private static string? End(DbConnection connection, AuditHead head) => AuditLog.Head(connection) is var noted && noted == head
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"the chain is sound and ends with row {head.Sequence}, but its writers noted row {noted.Sequence} as the end: rows were cut off or added past the log");

    /// <summary>Compares the time at which the store was made with that of the first row of the log.</summary>
    private static string? Beginning(DbConnection connection, AuditRow? first) =>
        first is not null && first.Action == AuditAction.Init.Name()
        && connection.ExecuteScalar<long?>("SELECT created FROM store WHERE id = 1") != first.Time.Seconds()
            ? "the chain is sound, but the store was not made when its first row says: its date was changed past the log"
            : null;

    /// <summary>Compares the present entries with the last row of each key: a change that was written without an audit row shows here.</summary>
    private static string? Unlogged(DbConnection connection)
    {
        // Digests instead of the JSON itself: a million entries fit.
        var logged = new Dictionary<string, UInt128?>(StringComparer.Ordinal);
        foreach (var row in LastRows(connection))
            logged[row.Key] = row.After is null ? null : Digest(row.After);
        var differing = new List<Destination>();
        foreach (var stored in new DestinationTable(connection).List("%"))
        {
            if (!logged.Remove(stored.Key, out var after) || after is null)
                return $"the log is sound, but the entry {stored.Key} is not from it: it was added past the log";
            if (stored.Value is not { } destination)
                return Changed(stored.Key);
            if (Digest(DestinationDocument.ToJson(destination)) != after)
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

    private static bool IsLastLogged(DbConnection connection, Destination destination) =>
        AuditLog.NewestOf(connection, destination.Key.Text, 1).First().After is { } json && DestinationDocument.Says(json, destination);

    private static UInt128 Digest(string json) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(json)));

    private static IEnumerable<LastRow> LastRows(DbConnection connection) => connection.Query<LastRow>(
        """
        SELECT a.key, a.after FROM audit a
        JOIN (SELECT max(sequence) AS sequence FROM audit WHERE key IS NOT NULL AND sequence > 0 GROUP BY key) last ON last.sequence = a.sequence
        """,
        buffered: false);

    /// <summary>The last row of a key in the audit log.</summary>
    internal sealed record LastRow(string Key, string? After);
}
