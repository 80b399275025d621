using PolicyDaemon.Cli.Setup.Checks;

namespace PolicyDaemon.Cli.Json;

/// <summary>One result of <c>setup</c>.</summary>
/// <param name="Severity"><c>ok</c>, <c>note</c>, <c>warning</c> or <c>problem</c>.</param>
/// <param name="Check">The check's name.</param>
/// <param name="Text">What was found and what it means for mail.</param>
/// <param name="Commands">The command lines that settle it, in order.</param>
internal sealed record SetupResultJson(string Severity, string Check, string Text, IReadOnlyList<string> Commands)
{
    internal static SetupResultJson From(SetupResult result) =>
        new(result.Severity.Name(), result.Check, result.Text, result.Commands);
}
