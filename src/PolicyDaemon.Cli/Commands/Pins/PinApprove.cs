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
        Plan,
        PinChangeVerb.SayWhenFindingsEnd);

    private static PlannedChange Plan(PinChange change)
    {
        var known = change.ReadProbeState();
        var after = change.Fingerprints.Aggregate(change.Before.Pins, (pins, fingerprint) => Approve(change, pins, fingerprint, known));
        return new PlannedChange(change.Key, change.Before, change.Before with { Pins = after })
        {
            Weakens = [.. change.Fingerprints.SelectMany(fingerprint => KeyStrength.Weaker(change.Before, fingerprint, known))],
        };
    }

    private static ImmutableArray<Pin> Approve(PinChange change, ImmutableArray<Pin> pins, Fingerprint fingerprint, ProbeState? known)
    {
        var pin = pins.FirstOrDefault(pin => pin.Fingerprint == fingerprint) ?? throw new CommandException(
            ExitCode.Negative,
            $"{change.Key} has no such candidate as {fingerprint}; see: policyctl pin list {change.QuotedKey}; "
            + $"a key that no probe saw: policyctl pin add {change.QuotedKey} {fingerprint}");
        if (pin.IsServed)
            return pins;
        var isSeen = known?.PresentationsOf(fingerprint).Any(seen => seen.IsCurrent) == true;
        return CarryOver(change, known, pins.Replace(pin, pin with
        {
            State = isSeen ? PinState.Active : PinState.Standby,
            Strength = PinStrength.Person,
            Since = PinEditing.Now(change.Time),
        }), fingerprint);
    }

    /// <summary>A pin in a digest that Postfix does not compare, and that names the same, has done its work.</summary>
    private static ImmutableArray<Pin> CarryOver(PinChange change, ProbeState? known, ImmutableArray<Pin> pins, Fingerprint approved)
    {
        var digest = change.Context.Settings.Postfix.FingerprintDigest;
        if (approved.Algorithm != digest || known is null)
            return pins;
        var certificates = known.PresentationsOf(approved).Select(seen => seen.Certificate).ToList();
        return
        [
            .. pins.Select(pin => pin.IsServed && pin.Fingerprint.Algorithm != digest && certificates.Any(certificate => certificate.Matches(pin.Fingerprint))
                ? PinEditing.Retire(pin, change.Time)
                : pin),
        ];
    }
}
