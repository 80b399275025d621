using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store;

/// <summary>Writes what entries have come to at their ends, and tells people for a while.</summary>
/// <remarks>Time has decided already what is served. Here the store comes to say so: a change of the daemon with its audit rows, which no clock
/// and no restored snapshot takes back.</remarks>
public static class EndedEntries
{
    /// <summary>Entries written in one change.</summary>
    private const int AtOnce = 1000;

    private static readonly TimeSpan Told = TimeSpan.FromDays(7);

    /// <summary>Writes those that the loader has seen end.</summary>
    /// <param name="store">Open for writing.</param>
    /// <param name="ended">Key and end of each.</param>
    /// <param name="origin">Who: the daemon.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <returns>What was committed; null where nothing differed.</returns>
    public static ChangeReceipt? Write(PolicyStore store, IReadOnlyCollection<EndedEntry> ended, ChangeOrigin origin, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(ended);
        using var change = store.BeginChange(origin, postfix);
        var any = false;
        foreach (var entry in ended.Take(AtOnce))
        {
            if (NextHop.TryParseEntry(entry.Key, out var key, out _))
                any |= change.WriteEnd(key, entry.Until);
        }

        return any ? change.Commit() : null;
    }

    /// <summary>Closes what people have been told for long enough, or what a later change has made history.</summary>
    public static void CloseFindings(PolicyStore store, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        foreach (var open in store.OpenFindings().Where(open => open.Finding.Kind == FindingKind.EntryEnded))
        {
            var isHistory = !NextHop.TryParseEntry(open.Finding.Subject, out var key, out _) || store.Audit(key, 1).FirstOrDefault()?.Command != EntryEnd.Command;
            // One from the future was written by a clock that was ahead.
            if (isHistory || now - open.LastSeen >= Told || open.LastSeen > now + Told)
                store.CloseFinding(FindingKind.EntryEnded, open.Finding.Subject);
        }
    }
}
