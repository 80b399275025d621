namespace PolicyDaemon.Cli.Output;

/// <summary>Where a command writes, and who reads it.</summary>
internal record Streams
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True where a person reads standard output: aligned tables and colour instead of tabs.</summary>
    public required bool OutIsTerminal { get; init; }

    /// <summary>True where a person reads standard error: progress bars.</summary>
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal that standard output is; 0 where it is none, and nothing is wrapped.</summary>
    public Func<int> Width { get; init; } = () => 0;
}
