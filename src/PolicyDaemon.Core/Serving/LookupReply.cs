using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>What an entry does about its key.</summary>
public enum EntryRole
{
    /// <summary>Nothing, as if it were not there: it is only observed, or has lapsed.</summary>
    Absent,

    /// <summary>It answers, if only that the key is not found (level <c>default</c>).</summary>
    Answers,

    /// <summary>It leaves the answer to discovery, above a floor (level <c>discovered</c>).</summary>
    Discovers,
}

/// <summary>An answer on the lookup path: a kind and ASCII bytes that belong to the snapshot or to the program.</summary>
public readonly ref struct LookupReply
{
    // Octets, so that the whole is three words: it is copied several times in each lookup.
    private readonly byte kind;
    private readonly byte role;
    private readonly byte floor;

    public LookupReply(
        LookupAnswerKind kind, ReadOnlySpan<byte> text, bool isPinned = false, EntryRole role = EntryRole.Answers, DiscoveryFloor floor = DiscoveryFloor.None)
    {
        this.kind = (byte)kind;
        this.role = (byte)role;
        this.floor = (byte)floor;
        Text = text;
        IsPinned = isPinned;
    }

    public LookupAnswerKind Kind => (LookupAnswerKind)kind;

    /// <summary>The policy text or the reason, ASCII without control characters.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>The answer is that of an entry enforced with pins.</summary>
    public bool IsPinned { get; }

    /// <summary>What the entry that was found does about its key; nothing where none was.</summary>
    public EntryRole Role => (EntryRole)role;

    /// <summary>Where it leaves the answer to discovery: the least that is taken. The reply itself is then what is said below that.</summary>
    public DiscoveryFloor Floor => (DiscoveryFloor)floor;
}
