namespace PolicyDaemon.Cli.Setup;

/// <summary>One thing that a check found.</summary>
/// <param name="Check">The check's name.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Text">What was found and what it means for mail.</param>
/// <param name="Commands">The command lines that settle it, in order.</param>
internal sealed record SetupResult(string Check, SetupSeverity Severity, string Text, params IReadOnlyList<string> Commands);
