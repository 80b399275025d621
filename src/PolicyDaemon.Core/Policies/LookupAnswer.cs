using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Core.Policies;

/// <summary>An answer as people and tests see it; on the lookup path the same thing is a <see cref="LookupReply"/>.</summary>
/// <param name="Kind">What Postfix is told.</param>
/// <param name="Text">The policy text, or the reason of an error; empty for "not found".</param>
public readonly record struct LookupAnswer(LookupAnswerKind Kind, string Text)
{
    public static readonly LookupAnswer NotFound = new(LookupAnswerKind.NotFound, "");

    public static LookupAnswer Found(string policyText)
    {
        // An empty policy makes Postfix warn and defer; it is a broken assumption here (socketmap_table(5)).
        ArgumentException.ThrowIfNullOrWhiteSpace(policyText);
        return new(LookupAnswerKind.Found, policyText);
    }

    public static LookupAnswer Temporary(string reason) => new(LookupAnswerKind.Temporary, reason);

    public static LookupAnswer Permanent(string reason) => new(LookupAnswerKind.Permanent, reason);
}
