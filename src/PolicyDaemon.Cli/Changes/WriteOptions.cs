using System.CommandLine;

namespace PolicyDaemon.Cli.Changes;

/// <summary>The options of every command that writes.</summary>
internal sealed class WriteOptions
{
    public Option<bool> DryRun { get; } = new("--dry-run", "-n")
    {
        Description = "Check everything and show the answers before and after, but change nothing",
    };

    public Option<string?> Reason { get; } = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; kept in the audit log. Required where the change weakens anything",
    };

    public void AddTo(Command command)
    {
        command.Add(Reason);
        command.Add(DryRun);
    }
}
