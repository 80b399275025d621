using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>An answer on the lookup path: a kind and ASCII bytes that belong to the snapshot or to the program.</summary>
public readonly ref struct LookupReply
{
    public LookupReply(LookupAnswerKind kind, ReadOnlySpan<byte> text, bool isPinned = false)
    {
        Kind = kind;
        Text = text;
        IsPinned = isPinned;
    }

    public LookupAnswerKind Kind { get; }

    /// <summary>The policy text or the reason, ASCII without control characters.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>The answer is that of an entry enforced with pins.</summary>
    public bool IsPinned { get; }
}
