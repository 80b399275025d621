namespace PolicyDaemon.Cli;

/// <summary>A command that ends here: a message that says what to do next, and the exit code.</summary>
internal sealed class CommandException(ExitCode code, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    public ExitCode Code { get; } = code;

    /// <summary>Lines below the message, such as one per refused row.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
