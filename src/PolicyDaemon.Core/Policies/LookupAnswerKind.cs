namespace PolicyDaemon.Core.Policies;

/// <summary>The four things a lookup can be told. Everything that is not certain is <see cref="Temporary"/>.</summary>
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
}
