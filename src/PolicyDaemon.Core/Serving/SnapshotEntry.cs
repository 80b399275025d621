using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>One key of a snapshot with its finished answers.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Answer">The answer on the map <c>tlspolicy</c>; of an entry that leaves it to discovery what is said below its floor.</param>
/// <param name="TlsRptAnswer">The answer on <c>tlspolicy-tlsrpt</c>; the same value where nothing differs.</param>
/// <param name="IsPinned">The entry is enforced with pins: a lookup of its key makes an old probe due.</param>
/// <param name="ValidUntil">When the entry ends by itself, in whole seconds; null: never.</param>
public readonly record struct SnapshotEntry(
    string Key, LookupAnswer Answer, LookupAnswer TlsRptAnswer, bool IsPinned = false, DateTimeOffset? ValidUntil = null)
{
    /// <summary>True where "not found" is what the entry answers (level <c>default</c>); an entry that is not found without it is only observed, and
    /// answers nothing.</summary>
    public bool IsDefault { get; init; }

    /// <summary>The floor of an entry that leaves the answer to discovery; null for every other.</summary>
    public DiscoveryFloor? Floor { get; init; }

    /// <summary>The answers after <see cref="ValidUntil"/>; null where the key then is as one without an entry.</summary>
    public EntryAfter? Then { get; init; }

    /// <summary>True where <see cref="ValidUntil"/> has surely passed, so that no clock brings the entry back.</summary>
    public bool HasLapsed { get; init; }

    /// <summary>True where more is to be done about the entry than to answer from it: it cannot be served, or it ends.</summary>
    public bool IsNoted => ValidUntil is not null || Unservable is not null;

    /// <summary>The answer of the entry at a time, for people; null where the entry is gone by then.</summary>
    public LookupAnswer? AnswerAt(DateTimeOffset time) => HasLapsed || ValidUntil <= time ? Then?.Of(Key).AnswerAt(time)
        : Floor is { } floor ? LookupAnswer.ByDiscovery(floor)
        : Answer;

    /// <summary>What mail is certain of by the answer; of the entry <c>*</c> lookups compare it with what was discovered.</summary>
    public Protection Protection => Answer.Protection;

    /// <summary>Why mail waits at a time for want of something that can be served, on one of the maps at least; null where both can answer.</summary>
    public string? UnservableAt(DateTimeOffset time) => HasLapsed || ValidUntil <= time ? Then?.Of(Key).Unservable : Unservable;

    private string? Unservable => Floor is not null ? null
        : Answer.Kind == LookupAnswerKind.Temporary ? Answer.Text
        : TlsRptAnswer.Kind == LookupAnswerKind.Temporary ? $"on {MapName.TlsPolicyTlsRpt.Name()}: {TlsRptAnswer.Text}"
        : null;
}

/// <summary>The answers to a key after the end of its entry; its members are those of <see cref="SnapshotEntry"/>.</summary>
public sealed record EntryAfter(LookupAnswer Answer, LookupAnswer TlsRptAnswer, bool IsPinned = false, bool IsDefault = false, DiscoveryFloor? Floor = null)
{
    /// <summary>These answers as the entry of a key, without an end.</summary>
    public SnapshotEntry Of(string key) => new(key, Answer, TlsRptAnswer, IsPinned) { IsDefault = IsDefault, Floor = Floor };

    /// <summary>The answers of an entry that is in force now, as those that hold after another one's end.</summary>
    public static EntryAfter Of(SnapshotEntry entry) => new(entry.Answer, entry.TlsRptAnswer, entry.IsPinned, entry.IsDefault, entry.Floor);
}
