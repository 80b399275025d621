using PolicyDaemon.Core.Audit;
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

    /// <summary>Rows of the audit log that are looked at for what was decided last.</summary>
    private const int ReadBack = 100;

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
        var written = 0;
        foreach (var entry in ended)
        {
            if (NextHop.TryParseEntry(entry.Key, out var key, out _) && change.WriteEnd(key, entry.Until) && ++written == AtOnce)
                break;
        }

        return written > 0 ? change.Commit() : null;
    }

    /// <summary>Closes what people have been told for long enough, or what a later change has made history.</summary>
    public static void CloseFindings(PolicyStore store, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        foreach (var open in store.OpenFindings(FindingKind.EntryEnded))
        {
            if (now - open.LastSeen >= Told || IsHistory(store, open.Finding.Subject))
                store.CloseFinding(FindingKind.EntryEnded, open.Finding.Subject);
            else if (open.LastSeen > now + Told)
                // A clock that was ahead wrote it: it is told from now on, and for no longer.
                store.RaiseFinding(open.Finding);
        }
    }

    private static bool IsHistory(PolicyStore store, string subject)
    {
        if (!NextHop.TryParseEntry(subject, out var key, out _))
            return subject != EndFindings.Others;
        // Pins move on in an entry that has come to what it was; that is no decision about it.
        var decision = store.Audit(key, ReadBack).FirstOrDefault(row => row.Actor != Actor.Prober);
        return decision is not null && decision.Command != EntryEnd.Command;
    }
}
