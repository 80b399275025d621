using System.CommandLine;
using PolicyDaemon.Cli.Changes;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin revoke</c></summary>
internal static class PinRevoke
{
    internal static Command Create(CommandRunner runner) => PinChangeVerb.Complete(
        new("revoke", "Stop serving a pin. It stays in the record as retired; the last served pin of an entry cannot go.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin revoke example.com 5A:3B:...", "A server with this certificate or key gets no more mail."),
                ("policyctl pin revoke example.com 5A:3B:... --dry-run", "Show the answer before and after."),
            ],
        },
        runner,
        Plan);

    private static PlannedChange Plan(PinChange change)
    {
        var after = change.Before.Pins;
        foreach (var fingerprint in change.Fingerprints)
        {
            if (!after.Any(pin => pin.Fingerprint == fingerprint && pin.IsServed))
                throw new CommandException(
                    ExitCode.Negative, $"{change.Key} has no served pin {fingerprint}; see: policyctl pin list {change.QuotedKey}");
            after = PinEditing.Revoke(after, fingerprint, change.Time);
        }

        return new PlannedChange(change.Key, change.Before, change.Before with { Pins = after });
    }
}
