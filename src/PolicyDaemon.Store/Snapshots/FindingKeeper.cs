using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Writes the daemon's findings to the store, whenever that can be, so that <c>status</c> shows them without the daemon too.</summary>
internal sealed class FindingKeeper(SnapshotLoaderOptions options, FindingSet findings, TimeProvider time, ILogger log)
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
            using var store = PolicyStore.Open(options.Database, StoreAccess.Write, time, options.Patience);
            var version = findings.Version;
            var wanted = findings.Open.ToDictionary(finding => (finding.Kind, finding.Subject));
            foreach (var stored in store.OpenFindings())
            {
                if (wanted.Remove((stored.Finding.Kind, stored.Finding.Subject), out var same) && same.Detail == stored.Finding.Detail)
                    continue;
                if (same is not null)
                    store.RaiseFinding(same);
                else if (IsOver(stored.Finding.Kind))
                    store.CloseFinding(stored.Finding.Kind, stored.Finding.Subject);
            }

            foreach (var finding in wanted.Values)
                store.RaiseFinding(finding);
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

    /// <summary>True for a kind of the loader's that ends when it no longer holds: a broken audit chain stays open until a person has read it.</summary>
    private static bool IsOver(FindingKind kind) =>
        kind.IsOf(FindingSource.Store | FindingSource.Snapshot) && kind.Description().EndsByItself;
}
