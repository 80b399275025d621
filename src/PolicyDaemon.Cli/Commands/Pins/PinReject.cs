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
        Plan);

    private static PlannedChange Plan(PinChange change)
    {
        if (!change.Before.Policy.Level.MatchesFingerprints())
            throw new CommandException(ExitCode.Invalid, $"{change.Key} is at level {change.Before.Policy.Level.Name()}, which takes no pins");
        var known = change.ReadProbeState();
        var after = change.Fingerprints.Aggregate(change.Before.Pins, (pins, fingerprint) => PinEditing.Reject(pins, fingerprint, change.Time));
        return new PlannedChange(change.Key, change.Before, change.Before with { Pins = after })
        {
            Warnings =
            [
                .. change.Fingerprints.SelectMany(fingerprint => StillAccepted(after, fingerprint, known)),
            ],
        };
    }

    /// <summary>The same server may be accepted by another pin: its certificate beside its key.</summary>
    private static IEnumerable<string> StillAccepted(ImmutableArray<Pin> after, Fingerprint refused, ProbeState? known) =>
        (known?.PresentationsOf(refused) ?? [])
            .SelectMany(seen => after.Where(pin => pin.IsServed && seen.Certificate.Matches(pin.Fingerprint)))
            .DistinctBy(pin => pin.Fingerprint)
            .Select(pin => $"the same certificate is still accepted by the pin {pin.Fingerprint} ({pin.Subject.Name()}); reject it too");
}
