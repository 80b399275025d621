using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>An answer on the lookup path: a kind and ASCII bytes that belong to the snapshot or to the program.</summary>
public readonly ref struct LookupReply
{
    // An octet, so that the whole is three words: it is copied several times in each lookup.
    private readonly byte kind;

    public LookupReply(LookupAnswerKind kind, ReadOnlySpan<byte> text, bool isPinned = false, uint validUntil = 0)
    {
        this.kind = (byte)kind;
        Text = text;
        IsPinned = isPinned;
        ValidUntil = validUntil;
    }

    public LookupAnswerKind Kind => (LookupAnswerKind)kind;

    /// <summary>The policy text or the reason, ASCII without control characters.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>The answer is that of an entry enforced with pins.</summary>
    public bool IsPinned { get; }

    /// <summary>The second, in Unix time, at which the entry lapses; 0: never.</summary>
    public uint ValidUntil { get; }

    /// <summary>True where the entry counts: it is enforced, not only observed, and has not lapsed.</summary>
    public bool IsInForce(TimeProvider time) => Kind != LookupAnswerKind.NotFound && (ValidUntil == 0 || !IsPast(ValidUntil, time));

    // Static: a method of this would take its address, and the answer would go through memory.
    private static bool IsPast(uint second, TimeProvider time) => time.GetUtcNow().ToUnixTimeSeconds() >= second;
}
