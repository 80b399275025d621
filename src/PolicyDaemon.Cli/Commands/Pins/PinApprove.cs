using System.Collections.Immutable;
using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin approve</c></summary>
internal static class PinApprove
{
    internal static Command Create(CommandRunner runner) => PinChangeVerb.Complete(
        new("approve", "Trust a candidate: a key that a probe saw. It is served at once.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin approve example.com 5A:3B:...", "The partner confirmed by telephone that the new key is theirs."),
                ("policyctl pin approve example.com 5A:3B:... --dry-run", "Show the answer before and after."),
            ],
        },
        runner,
        (_, decision) => decision.Approve(),
        PinChangeVerb.SayWhenFindingsEnd);
}
