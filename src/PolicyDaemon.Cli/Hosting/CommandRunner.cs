using System.CommandLine;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The options that every command takes, before or behind the verb.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Config { get; } = new("--config")
    {
        HelpName = "FILE",
        Description = "The configuration that policyd runs with [default: /etc/policydaemon/policydaemon.conf]",
        Recursive = true,
    };

    public Option<string?> Database { get; } = new("--database")
    {
        HelpName = "FILE",
        Description = "Another store than the configured one",
        Recursive = true,
    };

    public Option<string?> Format { get; } = new("--format")
    {
        HelpName = "table|tsv|json",
        Description = "How to write the result [default: table on a terminal, tsv otherwise]",
        Recursive = true,
    };

    public Option<bool> Header { get; } = new("--header")
    {
        Description = "With --format tsv: a first line with the names of the columns",
        Recursive = true,
    };

    public Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "No colour; so does a non-empty NO_COLOR in the environment",
        Recursive = true,
    };

    public Option<bool> Utc { get; } = new("--utc")
    {
        Description = "Times in UTC on a terminal, too; elsewhere they always are",
        Recursive = true,
    };

    public GlobalOptions() => Format.AcceptOnlyFromAmong("table", "tsv", "json");

    public void AddTo(RootCommand root)
    {
        root.Add(Config);
        root.Add(Database);
        root.Add(Format);
        root.Add(Header);
        root.Add(NoColor);
        root.Add(Utc);
    }
}

/// <summary>Gives a command's handler its context.</summary>
internal sealed class CommandRunner(GlobalOptions globals, CliHost host)
{
    /// <summary>A handler that runs with everything the command line and the machine say.</summary>
    public Func<ParseResult, int> Handle(Func<CommandContext, ExitCode> handler) => result => (int)handler(Context(result));

    /// <summary>A handler that waits for the network, until Ctrl-C.</summary>
    public Func<ParseResult, int> Handle(Func<CommandContext, CancellationToken, Task<ExitCode>> handler) => result =>
    {
        using var interruption = host.Interruption();
        try
        {
            return (int)handler(Context(result), interruption.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Inconclusive, host.IsDone() ? "interrupted; it is stored, and only what comes after that ended" : "interrupted; nothing was stored");
        }
    };

    private CommandContext Context(ParseResult result)
    {
        var format = result.GetValue(globals.Format) switch
        {
            "table" => OutputFormat.Table,
            "tsv" => OutputFormat.Tsv,
            "json" => OutputFormat.Json,
            _ => host.OutIsTerminal ? OutputFormat.Table : OutputFormat.Tsv,
        };
        // https://no-color.org: present and not empty, whatever its value.
        var colour = host.OutIsTerminal && !result.GetValue(globals.NoColor) && string.IsNullOrEmpty(host.Variable("NO_COLOR"))
            && host.Variable("TERM") != "dumb";
        return new CommandContext(
            result, host, new Report(host, format, colour)
            {
                HasHeader = result.GetValue(globals.Header),
                LocalZone = format == OutputFormat.Table && host.OutIsTerminal && !result.GetValue(globals.Utc) ? host.Time.LocalTimeZone : null,
            }, result.GetValue(globals.Config) ?? host.Configuration, result.GetValue(globals.Database));
    }
}
