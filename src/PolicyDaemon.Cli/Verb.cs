using System.CommandLine;

namespace PolicyDaemon.Cli;

/// <summary>A command whose help teaches by example.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Command lines that work as they stand, with what they do.</summary>
    public required IReadOnlyList<(string Line, string Does)> Examples { get; init; }

    /// <summary>The columns of <c>--format tsv</c>, for the help; empty where the command writes no rows.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>What exit codes other than 0 and 2 mean here.</summary>
    public string? ExitCodes { get; init; }
}
