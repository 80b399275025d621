using System.Data.Common;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Findings;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Writes the loader's findings to the store as soon as the store can be written, so that <c>status</c> shows them without the daemon, too.</summary>
/// <param name="node">Whose they are: a node closes only its own. Null in a store that has one, to which all belong, those of a copy among them.</param>
internal sealed class FindingKeeper(StoreEngine engine, TimeSpan patience, FindingSet findings, TimeProvider time, ILogger log, string? node = null)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private long written = -1;
    private long failedAt = long.MinValue;

    /// <summary>Brings the store's open findings into line, where something differs.</summary>
    internal void Keep()
    {
        if (written == findings.Version
            || (failedAt != long.MinValue && time.GetElapsedTime(failedAt) < RetryAfter))
            return;
        try
        {
            var version = findings.Version;
            using var session = engine.Open(StoreAccess.Write, patience);
            session.Guard(() => Write(session.Connection));
            written = version;
            failedAt = long.MinValue;
        }
        catch (StoreException error)
        {
            if (failedAt == long.MinValue)
                StoreLog.FindingsNotWritten(log, error.Message);
            failedAt = time.GetTimestamp();
        }
    }

    private void Write(DbConnection connection)
    {
        var now = time.GetUtcNow();
        var wanted = findings.Open.ToDictionary(finding => (finding.Kind, finding.Subject, finding.Node));
        foreach (var finding in FindingTable.Open(connection, now).Select(open => open.Finding).Where(finding => node is null || finding.Node == node))
        {
            if (wanted.Remove((finding.Kind, finding.Subject, finding.Node), out var same) && same.Detail == finding.Detail)
                continue;
            if (same is not null)
                FindingTable.Raise(connection, same, now);
            else if (IsOver(finding.Kind))
                FindingTable.Close(connection, finding.Kind, finding.Subject, now, finding.Node);
        }

        foreach (var finding in wanted.Values)
            FindingTable.Raise(connection, finding, now);
    }

    /// <summary>True for a kind that the loader closes when it no longer holds; a broken audit chain stays open until a person has read it.</summary>
    private static bool IsOver(FindingKind kind) =>
        kind.IsOf(FindingSource.Store | FindingSource.Snapshot) && kind.Description().EndsByItself;
}
