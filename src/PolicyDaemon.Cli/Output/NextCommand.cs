namespace PolicyDaemon.Cli.Output;

/// <summary>How a command names the one that goes on from it: a line of its own, which a person pastes and a script may take.</summary>
internal static class NextCommand
{
    private const string Label = "Next: ";

    /// <summary>What stands before the command of a finding.</summary>
    internal const string Settles = "settle it: ";

    /// <summary>The line to print; what stands behind the label is the command as a shell takes it.</summary>
    internal static string Line(string command) => Label + command;

    /// <summary>What stands behind the label of a command; the line itself where it has none.</summary>
    internal static ReadOnlySpan<char> WithoutLabel(ReadOnlySpan<char> line) => line.StartsWith(Label, StringComparison.Ordinal) ? line[Label.Length..]
        : line.StartsWith(Settles, StringComparison.Ordinal) ? line[Settles.Length..]
        : line;
}
