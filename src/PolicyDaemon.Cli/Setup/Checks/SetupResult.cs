using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core;

namespace PolicyDaemon.Cli.Setup.Checks;

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

/// <summary>The shown names of severities.</summary>
internal static class SetupSeverities
{
    private static readonly StoredNames<SetupSeverity> Names = new(
        (SetupSeverity.Ok, "ok"), (SetupSeverity.Note, "note"), (SetupSeverity.Warning, "warning"), (SetupSeverity.Problem, "problem"));

    internal static string Name(this SetupSeverity severity) => Names.Of(severity);
}

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
