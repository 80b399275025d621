using System.CommandLine;

namespace PolicyDaemon.Cli;

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

    public Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "No colour; so does a non-empty NO_COLOR in the environment",
        Recursive = true,
    };

    public GlobalOptions() => Format.AcceptOnlyFromAmong("table", "tsv", "json");

    public void AddTo(RootCommand root)
    {
        root.Add(Config);
        root.Add(Database);
        root.Add(Format);
        root.Add(NoColor);
    }
}
