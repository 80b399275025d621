using System.Collections.Immutable;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Timeline;

/// <summary>A time from its beginning to its end.</summary>
public readonly record struct TimeSpent(DateTimeOffset From, DateTimeOffset To);

/// <summary>A key in the history of a destination: when probes saw it, and when Postfix was told to accept it.</summary>
/// <param name="Code">The first eight digits of its fingerprint, by which pictures and tables name it; enough for <c>pin approve</c>.</param>
/// <param name="Fingerprint">The SHA-256 of the public key; of a pin that no probe has seen its own digits.</param>
/// <param name="Seen">The runs of probes that saw it, each address's own, put together where they overlap.</param>
/// <param name="Served">When a pin of it was served.</param>
public sealed record TimelineKey(string Code, string Fingerprint, ImmutableArray<TimeSpent> Seen, ImmutableArray<TimeSpent> Served)
{
    /// <summary>The newest certificate with the key; null where no probe saw it.</summary>
    public ServerCertificate? Certificate { get; init; }

    /// <summary>The state of its pin now; null where it has none.</summary>
    public Pin? Pin { get; init; }

    /// <summary>How many addresses presented it.</summary>
    public int Addresses { get; init; }

    /// <summary>The first moment that is known of it.</summary>
    public DateTimeOffset From => Seen.Concat(Served).Select(time => time.From).DefaultIfEmpty(Pin?.Since ?? default).Min();
}

/// <summary>A decision in the history of a destination.</summary>
/// <param name="At">When it was made.</param>
/// <param name="Change">The number of the change, which <c>undo</c> takes.</param>
/// <param name="Actor">Who decided: a person, or <c>prober</c>.</param>
/// <param name="What">What became of pins and entry, in a phrase.</param>
/// <param name="Reason">Why; null where no reason was given.</param>
public sealed record TimelineDecision(DateTimeOffset At, long Change, string Actor, string What, string? Reason)
{
    /// <summary>False where a rule decided by itself.</summary>
    public bool ByPerson { get; init; } = true;
}

/// <summary>How the keys of a destination followed one another: what probes saw, what was served, who decided.</summary>
/// <param name="Key">The destination.</param>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends: now.</param>
/// <param name="Keys">The keys, in the order in which they appeared.</param>
/// <param name="Decisions">The decisions, the oldest first.</param>
public sealed record KeyTimeline(
    NextHop Key, DateTimeOffset From, DateTimeOffset To, ImmutableArray<TimelineKey> Keys, ImmutableArray<TimelineDecision> Decisions)
{
    /// <summary>Digits of a key's code.</summary>
    public const int CodeLength = 8;

    // Rows of the audit log that are looked through, and keys that are told apart.
    private const int MostChanges = 500;
    private const int MostKeys = 60;

    private static readonly TimeSpan Shortest = TimeSpan.FromDays(7);

    /// <summary>The code of a certificate's key, as pictures and tables name it.</summary>
    public static string CodeOf(ServerCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.KeyId.Hex[..CodeLength];
    }

    /// <param name="store">The store.</param>
    /// <param name="key">The destination.</param>
    /// <param name="entry">Its entry; null where it has none any more.</param>
    /// <param name="probed">What probes know of it; null where nothing.</param>
    /// <param name="now">The time, UTC.</param>
    public static KeyTimeline Read(PolicyStore store, NextHop key, Destination? entry, ProbeState? probed, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        return Of(key, entry, probed, store.ReadPinChanges(key, MostChanges), now);
    }

    /// <summary>The timeline of what was read already.</summary>
    public static KeyTimeline Of(NextHop key, Destination? entry, ProbeState? probed, IReadOnlyList<StoredPinChange> changes, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var runs = (probed?.Addresses ?? []).SelectMany(address => address.History.CertificateRuns.Select(run => (address.History.Target, Run: run)))
            .Where(one => one.Run.Certificate is not null).ToList();
        var served = ServedOf(changes, entry, now);
        var pins = served.Keys.Concat(entry?.Pins.Select(pin => pin.Fingerprint) ?? []).Distinct().ToList();
        var keys = new List<TimelineKey>();
        foreach (var group in runs.GroupBy(one => one.Run.Certificate!.KeyId))
        {
            var certificates = group.Select(one => one.Run.Certificate!).Distinct().ToList();
            var mine = pins.Where(pin => certificates.Exists(certificate => certificate.Matches(pin))).ToList();
            pins.RemoveAll(mine.Contains);
            keys.Add(new TimelineKey(
                group.Key.Hex[..CodeLength], group.Key.Hex,
                Together(group.Select(one => new TimeSpent(one.Run.First, one.Run.Last))),
                Together(mine.SelectMany(pin => served.GetValueOrDefault(pin, []))))
            {
                Certificate = group.MaxBy(one => one.Run.Last).Run.Certificate,
                Pin = entry?.Pins.Where(pin => mine.Contains(pin.Fingerprint)).OrderByDescending(pin => pin.IsServed).ThenByDescending(pin => pin.Since).FirstOrDefault(),
                Addresses = group.Select(one => one.Target).Distinct().Count(),
            });
        }

        keys.AddRange(pins.Select(pin => new TimelineKey(pin.Hex[..CodeLength], pin.Hex, [], Together(served.GetValueOrDefault(pin, [])))
        {
            Pin = entry?.Pins.FirstOrDefault(own => own.Fingerprint == pin),
        }));
        var ordered = keys.OrderBy(known => known.From).ThenBy(known => known.Fingerprint, StringComparer.Ordinal).TakeLast(MostKeys).ToImmutableArray();
        var decisions = changes.Select(Decision).ToImmutableArray();
        var from = ordered.Select(known => known.From).Concat(decisions.Select(decision => decision.At)).Append(now - Shortest).Min();
        return new KeyTimeline(key, from, now, ordered, decisions);
    }

    private static Dictionary<Fingerprint, List<TimeSpent>> ServedOf(IReadOnlyList<StoredPinChange> changes, Destination? entry, DateTimeOffset now)
    {
        var served = new Dictionary<Fingerprint, List<TimeSpent>>();
        var since = new Dictionary<Fingerprint, DateTimeOffset>();
        foreach (var change in changes)
        {
            // What is served from before the first row that was read began at an unknown time.
            foreach (var pin in Served(change.Before).Where(pin => !since.ContainsKey(pin)))
                since[pin] = change.Time;
            foreach (var (pin, from) in since.Where(open => !Served(change.After).Contains(open.Key)).ToList())
            {
                Add(pin, from, change.Time);
                since.Remove(pin);
            }

            foreach (var pin in Served(change.After))
                since.TryAdd(pin, change.Time);
        }

        foreach (var (pin, from) in since)
            Add(pin, from, now);
        foreach (var pin in entry?.Pins.Where(pin => pin.IsServed && !since.ContainsKey(pin.Fingerprint)) ?? [])
            Add(pin.Fingerprint, pin.Since, now);
        return served;

        void Add(Fingerprint pin, DateTimeOffset from, DateTimeOffset to)
        {
            if (!served.TryGetValue(pin, out var times))
                served.Add(pin, times = []);
            times.Add(new TimeSpent(from, to < from ? from : to));
        }
    }

    private static HashSet<Fingerprint> Served(ImmutableDictionary<Fingerprint, PinState> pins) =>
        [.. pins.Where(pin => pin.Value.IsServed()).Select(pin => pin.Key)];

    /// <summary>Times that touch or overlap become one.</summary>
    private static ImmutableArray<TimeSpent> Together(IEnumerable<TimeSpent> times)
    {
        var joined = new List<TimeSpent>();
        foreach (var time in times.OrderBy(time => time.From).ThenBy(time => time.To))
        {
            if (joined.Count > 0 && time.From <= joined[^1].To)
                joined[^1] = joined[^1] with { To = time.To > joined[^1].To ? time.To : joined[^1].To };
            else
                joined.Add(time);
        }

        return [.. joined];
    }

    private static TimelineDecision Decision(StoredPinChange change)
    {
        var moves = change.After.Where(pin => !change.Before.TryGetValue(pin.Key, out var was) || was != pin.Value)
            .Select(pin => $"{pin.Key.Hex[..CodeLength]} {(change.Before.TryGetValue(pin.Key, out var was) ? $"{was.Name()} to {pin.Value.Name()}" : pin.Value.Name())}")
            .Concat(change.Before.Keys.Where(pin => !change.After.ContainsKey(pin)).Select(pin => $"{pin.Hex[..CodeLength]} removed"))
            .Order(StringComparer.Ordinal).ToList();
        var what = change.Action == AuditAction.Change.Name()
            ? moves.Count == 0 ? "entry changed" : Phrases.Cut(string.Join(", ", moves), 200)
            : $"entry {(change.Action == AuditAction.Add.Name() ? "added" : change.Action == AuditAction.Remove.Name() ? "removed" : change.Action)}"
                + (moves.Count == 0 ? "" : $": {Phrases.Cut(string.Join(", ", moves), 200)}");
        return new TimelineDecision(change.Time, change.Change, change.Rule is null ? change.Actor : $"{change.Actor}, rule {change.Rule}", what, change.Reason)
        {
            ByPerson = change.Rule is null,
        };
    }
}
