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
        (_, decision) => decision.Revoke());
}
