namespace PolicyDaemon.Cli.Setup;

/// <summary>One thing that a check found.</summary>
/// <param name="Check">The check's name.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Text">What was found and what it means for mail.</param>
/// <param name="Steps">The commands that settle it, in order.</param>
internal sealed record SetupResult(string Check, SetupSeverity Severity, string Text, params IReadOnlyList<SetupCommand> Steps)
{
    /// <summary>The command lines that settle it.</summary>
    public IReadOnlyList<string> Commands => [.. Steps.Select(step => step.Text)];
}
