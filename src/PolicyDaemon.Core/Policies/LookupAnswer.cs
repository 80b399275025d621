namespace PolicyDaemon.Core.Policies;

/// <summary>The four things a lookup can be told, and what stands in their place while nobody has asked. Everything that is not certain is <see cref="Temporary"/>.</summary>
public enum LookupAnswerKind
{
    /// <summary>A temporary error: Postfix defers the mail and asks again. The default, so that nothing forgotten weakens.</summary>
    Temporary,

    /// <summary>A policy.</summary>
    Found,

    /// <summary>The destination is known not to be configured: Postfix goes on to the parent, then to its default level.</summary>
    NotFound,

    /// <summary>A map name that is not served. Postfix defers here too.</summary>
    Permanent,

    /// <summary>What the destination publishes, found out when Postfix asks: of an entry at level <c>discovered</c>, for people. No lookup is told this.</summary>
    AsDiscovered,
}

/// <summary>The names of answers, in JSON, in metrics and in messages.</summary>
public static class LookupAnswerKinds
{
    private static readonly StoredNames<LookupAnswerKind> Names = new(
        (LookupAnswerKind.Found, "found"), (LookupAnswerKind.NotFound, "not-found"), (LookupAnswerKind.Temporary, "temporary"),
        (LookupAnswerKind.Permanent, "permanent"), (LookupAnswerKind.AsDiscovered, "discovered"));

    public static string Name(this LookupAnswerKind kind) => Names.Of(kind);
}

/// <summary>What Postfix is told, as people and tests see it; on the lookup path the same thing is a reply of octets (Serving).</summary>
/// <param name="Kind">The kind of the answer.</param>
/// <param name="Text">The policy text, the reason of an error, or a floor; empty for "not found".</param>
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

    public static LookupAnswer ByDiscovery(DiscoveryFloor floor) => new(LookupAnswerKind.AsDiscovered, floor == DiscoveryFloor.None ? "" : floor.Name());

    /// <summary>The level that a policy text names, its first word; null for every other answer.</summary>
    public TlsLevel? Level
    {
        get
        {
            if (Kind != LookupAnswerKind.Found)
                return null;
            var blank = Text.IndexOf(' ', StringComparison.Ordinal);
            return TlsLevels.TryParseOfPostfix(blank < 0 ? Text : Text[..blank], out var level) ? level : null;
        }
    }

    /// <summary>What mail is certain of by this answer alone, without what main.cf or discovery add.</summary>
    public Protection Protection => Level?.Protection() ?? Policies.Protection.PlainTextPossible;

    /// <summary>For people and the audit log: the policy text as it is, and anything else so that it cannot be taken for one:
    /// <c>(not found)</c>, <c>(temporary error: reason)</c>, <c>(discovered, at least secure)</c>.</summary>
    public string ToDisplayString() => Kind switch
    {
        LookupAnswerKind.Found => Text,
        LookupAnswerKind.NotFound => "(not found)",
        LookupAnswerKind.AsDiscovered => Text.Length == 0 ? "(discovered)" : $"(discovered, at least {Text})",
        LookupAnswerKind.Temporary => $"(temporary error: {Text})",
        _ => $"(permanent error: {Text})",
    };
}

/// <summary>How long an answer may be. Longer is an error to Postfix; a policy that does not fit is a temporary error, never a shortened list.</summary>
public static class AnswerLimits
{
    /// <summary>Postfix: socketmap_max_reply_size default, octets of the netstring's payload with the status word (socketmap_table(5)).</summary>
    public const int SocketmapPayload = 100_000;

    /// <summary>Octets of policy text after <c>OK </c>.</summary>
    public const int SocketmapText = SocketmapPayload - 3;

    /// <summary>Postfix: a reason is cut there when it is logged (util/dict_sockmap.c).</summary>
    public const int Reason = 200;

    /// <summary>Postfix: DICT_TCP_MAXLEN, octets of a reply line with its line feed (tcp_table(5)).</summary>
    public const int TcpTableLine = 4096;
}
