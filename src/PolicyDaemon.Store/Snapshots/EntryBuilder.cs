using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Destinations;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Formats the answers of stored destinations, and keeps the list of those that cannot be served.</summary>
internal sealed class EntryBuilder
{
    // So many get a finding of their own; beyond that a person reads a number.
    private const int NamedFindings = 100;

    private readonly Dictionary<string, string> unservable = new(StringComparer.Ordinal);
    private readonly EntryEnds ends = new();

    /// <summary>When which entries end.</summary>
    internal EntryEnds Ends => ends;

    internal void Clear()
    {
        unservable.Clear();
        ends.Clear();
    }

    internal void Forget(string key)
    {
        unservable.Remove(key);
        ends.Forget(key);
    }

    /// <summary>Takes over the list of a snapshot that was read from a file: the entries that are <see cref="SnapshotEntry.IsNoted"/>.</summary>
    internal void Adopt(IEnumerable<SnapshotEntry> ofFile, DateTimeOffset now)
    {
        Clear();
        foreach (var entry in ofFile)
            Note(entry, now);
    }

    /// <summary>Formats the answers of one key. An entry that cannot be served is a temporary error for its key alone.</summary>
    /// <param name="last">The snapshot before: an end that was seen there stays, whatever the clock says since; null where there is none.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="settled">The time that has surely come: an end that lies before it has come for good.</param>
    internal SnapshotEntry Build(StoredDestination stored, PostfixSettings postfix, PolicySnapshot? last, DateTimeOffset now, DateTimeOffset settled)
    {
        if (stored.Value is not { } destination)
        {
            // A key that someone wrote past us in another form is answered where it would be asked for, so that it does not become a miss.
            var asked = NextHop.TryParse(stored.Key, out var canonical, out _) ? canonical.Text : stored.Key;
            ends.Forget(asked);
            unservable[asked] = $"the entry cannot be read: {stored.Problem}";
            return new SnapshotEntry(asked, StoredDestination.Unreadable, StoredDestination.Unreadable);
        }

        var entry = Format(destination, postfix);
        if (destination.Until is not { } end)
            return Note(entry, now);
        var ending = entry with
        {
            ValidUntil = end,
            Then = destination.AfterEnd() is { } then ? EntryAfter.Of(Format(then, postfix)) : null,
            HasLapsed = end <= settled || (last?.Find(entry.Key) is { HasLapsed: true } before && before.ValidUntil == end),
        };
        return Note(ending, now);
    }

    private static SnapshotEntry Format(Destination destination, PostfixSettings postfix)
    {
        var key = destination.Key.Text;
        var plain = Answer(destination, postfix, MapName.TlsPolicy);
        if (plain.Kind == LookupAnswerKind.AsDiscovered)
            return new SnapshotEntry(key, PolicySnapshotAnswers.BelowFloor, PolicySnapshotAnswers.BelowFloor) { Floor = destination.Floor };
        var tlsRpt = destination.Policy.TlsRpt is null || plain.Kind == LookupAnswerKind.Temporary ? plain : Answer(destination, postfix, MapName.TlsPolicyTlsRpt);
        return new SnapshotEntry(
            key, plain, tlsRpt == plain ? plain : tlsRpt,
            IsPinned: plain.Kind == LookupAnswerKind.Found && destination.Policy.Level.MatchesFingerprints())
        {
            IsDefault = plain.Kind == LookupAnswerKind.NotFound && !destination.Observe,
        };
    }

    internal void Report(FindingSet findings)
    {
        var named = unservable.Take(NamedFindings).ToDictionary(
            item => item.Key,
            // What is no key cannot be asked about: it was written past policyctl.
            item => ($"mail for {item.Key} waits: {item.Value}", NextHop.TryParse(item.Key, out _, out _) ? $"policyctl explain {Shell.Quote(item.Key)}" : "policyctl status --kind entry-not-servable", 1));
        if (unservable.Count > NamedFindings)
        {
            named["(more)"] = ($"mail waits for {unservable.Count} destinations whose entries cannot be served, {NamedFindings} of them named; check fingerprint_digest and version in the configuration",
                "policyd --check", unservable.Count);
        }

        findings.Replace(FindingKind.EntryNotServable, named);
    }

    /// <summary>Takes note of what is to be done about an entry beside answering from it.</summary>
    internal SnapshotEntry Note(SnapshotEntry entry, DateTimeOffset now)
    {
        ends.Note(entry);
        if (entry.UnservableAt(now) is { } problem)
            unservable[entry.Key] = problem;
        else
            unservable.Remove(entry.Key);
        return entry;
    }

    // One entry that breaks an assumption must not keep a million others from being served.
#pragma warning disable CA1031
    private static LookupAnswer Answer(Destination destination, PostfixSettings postfix, MapName map)
    {
        try
        {
            return PolicyText.Answer(destination, postfix, map);
        }
        catch (Exception error)
        {
            return LookupAnswer.Temporary($"its answer cannot be made ({error.GetType().Name})");
        }
    }
#pragma warning restore CA1031
}

/// <summary>Makes a usable snapshot of one that was written for another digest or another Postfix, for the time while the store cannot be read.</summary>
internal static class OtherDigest
{
    /// <summary>
    /// Pins of another digest never match; this is said plainly, as a temporary error. Answers without pins stay: whatever of them
    /// an older Postfix cannot read defers mail by itself.
    /// </summary>
    internal static PolicySnapshot Refuse(PolicySnapshot snapshot, PostfixSettings postfix)
    {
        if (snapshot.Identity.Digest == postfix.FingerprintDigest)
            return snapshot;
        var refusal = LookupAnswer.Temporary("the store cannot be read and the last good pins are of another digest");
        return snapshot.With(
            snapshot.Identity,
            snapshot.Entries.Where(entry => entry.IsPinned || entry.Then is { IsPinned: true })
                .Select(entry => (entry.IsPinned ? entry with { Answer = refusal, TlsRptAnswer = refusal, IsPinned = false } : entry) with
                {
                    Then = entry.Then is { IsPinned: true } then ? then with { Answer = refusal, TlsRptAnswer = refusal, IsPinned = false } : entry.Then,
                }).ToList(),
            []);
    }
}
