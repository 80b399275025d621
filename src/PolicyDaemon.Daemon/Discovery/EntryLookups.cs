using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Which entries are looked up next: those that leave their answer to discovery as soon as they are there, every one about once a day.</summary>
/// <remarks>What the others publish is compared with what they say (Core/Rotation/EntryConflicts.cs). One a second is politeness enough for anybody's
/// resolver; of more than fit into a day each waits a little longer.</remarks>
internal sealed class EntryLookups(DiscoveredStore store, ICurrentSnapshot current, TimeProvider time)
{
    /// <summary>Entries that are looked up at once when they have come.</summary>
    private const int AtOnce = 1000;

    private const int Page = 100;

    private static readonly TimeSpan Round = TimeSpan.FromDays(1);

    private readonly Queue<string> page = new();
    private PolicySnapshot? seen;
    private string last = "";
    private long? began;

    /// <param name="withRound">The next of all entries is looked up, too.</param>
    /// <param name="asking">The entries that leave their answer to discovery, where any entry has changed.</param>
    /// <returns>What to look up now, of the round.</returns>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    internal IReadOnlyList<string> Next(bool withRound, out IReadOnlyList<string> asking)
    {
        asking = [];
        if (current.Current is { } snapshot && !ReferenceEquals(snapshot, seen))
        {
            asking = [.. store.ReadAsking(AtOnce).Where(IsPublishable)];
            seen = snapshot;
        }

        return withRound && OfRound() is { } key ? [key] : [];
    }

    private string? OfRound()
    {
        if (page.Count == 0)
        {
            if (last.Length == 0 && began is { } at && time.GetElapsedTime(at) < Round)
                return null;
            if (last.Length == 0)
                began = time.GetTimestamp();
            var keys = store.ReadEntries(last, Page);
            last = keys.Count == Page ? keys[^1] : "";
            foreach (var key in keys.Where(IsPublishable))
                page.Enqueue(key);
        }

        return page.TryDequeue(out var next) ? next : null;
    }

    private static bool IsPublishable(string key) => NextHop.TryParse(key, out var parsed, out _) && parsed.CanPublish;
}
