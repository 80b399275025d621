namespace PolicyDaemon.Cli.Setup;

/// <summary>How much a result of <c>setup</c> matters.</summary>
internal enum SetupSeverity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Worth knowing; nothing to do.</summary>
    Note,

    /// <summary>Works, but not as a careful administrator would have it.</summary>
    Warning,

    /// <summary>Mail waits, or a policy is not asked or not enforced.</summary>
    Problem,
}
