using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>What an entry does about its key.</summary>
public enum EntryRole
{
    /// <summary>The entry does nothing, as if it were not there: it is only observed, or has lapsed; or there is none.</summary>
    Absent,

    /// <summary>The entry answers, if only that the key is not found (level <c>default</c>).</summary>
    Answers,

    /// <summary>The entry leaves the answer to discovery, above a floor (level <c>discovered</c>).</summary>
    Discovers,
}

/// <summary>An answer on the lookup path: a kind and ASCII bytes that belong to the snapshot or to the program.</summary>
public readonly ref struct LookupReply
{
    // Octets, so that the whole is three words: it is copied several times in each lookup.
    private readonly byte kind;
    private readonly byte role;
    private readonly byte floor;
    private readonly byte protection;

    public LookupReply(
        LookupAnswerKind kind, ReadOnlySpan<byte> text, bool isPinned = false, EntryRole role = EntryRole.Answers, DiscoveryFloor floor = DiscoveryFloor.None,
        Protection protection = Protection.PlainTextPossible)
    {
        this.kind = (byte)kind;
        this.role = (byte)role;
        this.floor = (byte)floor;
        this.protection = (byte)protection;
        Text = text;
        IsPinned = isPinned;
    }

    public LookupAnswerKind Kind => (LookupAnswerKind)kind;

    /// <summary>The policy text or the reason, ASCII without control characters.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>True where the answer is that of an entry enforced with pins.</summary>
    public bool IsPinned { get; }

    /// <summary>The role of the entry that was found; <see cref="EntryRole.Absent"/> where none was.</summary>
    public EntryRole Role => (EntryRole)role;

    /// <summary>The entry's floor, where it leaves the answer to discovery; below it this reply, a temporary error, is sent.</summary>
    public DiscoveryFloor Floor => (DiscoveryFloor)floor;

    /// <summary>Of the entry <c>*</c>: what mail is certain of by its answer.</summary>
    public Protection Protection => (Protection)protection;
}
