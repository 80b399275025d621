using System.CommandLine;
using System.Collections.Immutable;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Probing;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin approve</c></summary>
internal static class PinApprove
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var fingerprints = PinArguments.Fingerprints();
        var write = new WriteOptions();
        var verb = new Verb("approve", "Trust a candidate: a key that a probe saw. It is served at once.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin approve example.com 5A:3B:...", "The partner confirmed by telephone that the new key is theirs."),
                ("policyctl pin approve example.com 5A:3B:... --dry-run", "Show the answer before and after, and how many destinations share it."),
            ],
        };
        verb.Add(key);
        verb.Add(fingerprints);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, key, fingerprints, write)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Argument<string> key, Argument<string[]> fingerprints, WriteOptions write)
    {
        var nextHop = context.Key(key);
        var wanted = context.Get(fingerprints)!.Select(PinEditing.Read).Distinct().ToList();
        return new ChangeFlow(context, write).Run(view =>
        {
            var before = view.Get(nextHop);
            var known = view.Store.ReadKnowledge(nextHop);
            var after = wanted.Aggregate(before.Pins, (pins, fingerprint) => Approve(context, before, pins, fingerprint, known));
            return
            [
                new PlannedChange(nextHop, before, before with { Pins = after })
                {
                    Warnings = [.. PinEditing.Shared(before, known)],
                    Weakens = [.. wanted.SelectMany(fingerprint => KeyStrength.Weaker(before, fingerprint, known))],
                },
            ];
        });
    }

    private static ImmutableArray<Pin> Approve(
        CommandContext context, Destination destination, ImmutableArray<Pin> pins, Fingerprint fingerprint, ProbeKnowledge? known)
    {
        var quoted = Setup.Shell.Quote(destination.Key.Text);
        var pin = pins.FirstOrDefault(pin => pin.Fingerprint == fingerprint) ?? throw new CommandException(
            ExitCode.Negative,
            $"{destination.Key} has no such candidate as {fingerprint}; see: policyctl pin list {quoted}; a key that no probe saw: policyctl pin add {quoted} {fingerprint}");
        if (pin.IsServed)
            return pins;
        var isSeen = known?.SightingsOf(fingerprint).Any(seen => seen.IsCurrent) == true;
        return CarryOver(context, known, pins.Replace(pin, pin with
        {
            State = isSeen ? PinState.Active : PinState.Standby,
            Strength = PinStrength.Person,
            Since = PinEditing.Now(context.Host.Time),
        }), fingerprint);
    }

    /// <summary>A pin in a digest that Postfix does not compare, and that names the same, has done its work.</summary>
    private static ImmutableArray<Pin> CarryOver(CommandContext context, ProbeKnowledge? known, ImmutableArray<Pin> pins, Fingerprint approved)
    {
        var digest = context.Settings.Postfix.FingerprintDigest;
        if (approved.Algorithm != digest || known is null)
            return pins;
        var certificates = known.SightingsOf(approved).Select(seen => seen.Certificate).ToList();
        return
        [
            .. pins.Select(pin => pin.IsServed && pin.Fingerprint.Algorithm != digest && certificates.Any(certificate => certificate.Matches(pin.Fingerprint))
                ? PinEditing.Retire(pin, context.Host.Time)
                : pin),
        ];
    }
}
