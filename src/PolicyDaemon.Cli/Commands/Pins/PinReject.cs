using System.Collections.Immutable;
using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin reject</c></summary>
internal static class PinReject
{
    internal static Command Create(CommandRunner runner) => PinChangeVerb.Complete(
        new("reject", "Refuse a key for good. Nothing trusts it again but a person with a reason, and seeing it again is an alarm.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured; 5 where it is the last served pin of an enforced entry",
            Examples =
            [
                ("policyctl pin reject example.com 5A:3B:...", "The partner does not know this key: somebody else showed it."),
                ("policyctl pin reject example.com 5A:3B:... --reason 'private key leaked'", "A pin that is served; another one must be left."),
            ],
        },
        runner,
        (_, decision) => decision.Reject());
}
