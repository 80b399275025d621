namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>How a <see cref="MoodyResolver"/> answers.</summary>
public enum ResolverMood
{
    /// <summary>As the laboratory's validating resolver does.</summary>
    Validating,

    /// <summary>Like a resolver that does not validate: everything is answered, nothing is called authentic.</summary>
    NotValidating,

    /// <summary>Like a forwarder that validates nothing and calls everything authentic.</summary>
    Forging,

    /// <summary>Like a validating resolver to which all signatures are bad: SERVFAIL, unless checking is disabled.</summary>
    Bogus,

    /// <summary>No answer at all.</summary>
    Gone,
}
