using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The exit status of policyctl. The numbers are documented in policyctl(1) and never change their meaning.</summary>
internal enum ExitCode
{
    /// <summary>Done, or found.</summary>
    Done = 0,

    /// <summary>A negative result: not found, no match, a broken chain, a Postfix that does not fit, something that needs a person.</summary>
    Negative = 1,

    /// <summary>The command line is not one that policyctl knows, or lacks something such as the <c>--reason</c> of a weakening.</summary>
    Usage = 2,

    /// <summary>Nobody listens where policyd should.</summary>
    DaemonNotRunning = 3,

    /// <summary>The user may not read or write what the command needs.</summary>
    Permission = 4,

    /// <summary>Input, configuration or store that cannot be used as it is.</summary>
    Invalid = 5,

    /// <summary>Neither yes nor no: the daemon gave a temporary or permanent error, or the store was busy.</summary>
    Inconclusive = 6,
}

/// <summary>Ends a command with a message that says what to do next, and an exit code.</summary>
internal sealed class CommandException(ExitCode code, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    private const int MaxDetails = 100; // what is wrong with a table of a million rows still fits into a terminal's memory

    public ExitCode Code { get; } = code;

    /// <summary>Lines below the message, such as one per refused row.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];

    /// <summary>All details are told, however many they are.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The command that goes on from here; null where a person has to decide first.</summary>
    public string? Next { get; init; }

    /// <summary>Tells a person.</summary>
    public void Write(TextWriter error, TimeZoneInfo? zone = null)
    {
        error.WriteLine("policyctl: " + Shown(Message));
        var most = IsWhole ? Details.Count : MaxDetails;
        foreach (var detail in Details.Take(most))
            error.WriteLine("  " + Shown(detail));
        if (Details.Count > most)
            error.WriteLine(FormattableString.Invariant($"  ... and {Details.Count - most} more"));
        if (Next is not null)
            error.WriteLine(ShownText.Escape(NextCommand.Line(Next)));

        string Shown(string text) => zone is null ? ShownText.Escape(text) : Times.InZone(ShownText.Escape(text), zone);
    }
}
