using System.CommandLine;
using System.Collections.Immutable;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Probing;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin reject</c></summary>
internal static class PinReject
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var fingerprints = PinArguments.Fingerprints();
        var write = new WriteOptions();
        var verb = new Verb("reject", "Refuse a key for good. Nothing trusts it again but a person with a reason, and seeing it again is an alarm.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured; 5 where it is the last served pin of an enforced entry",
            Examples =
            [
                ("policyctl pin reject example.com 5A:3B:...", "The partner does not know this key: somebody else showed it."),
                ("policyctl pin reject example.com 5A:3B:... --reason 'private key leaked'", "A pin that is served; another one must be left."),
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
        var refused = context.Get(fingerprints)!.Select(PinEditing.Read).Distinct().ToList();
        return new ChangeFlow(context, write).Run(view =>
        {
            var before = view.Get(nextHop);
            if (!before.Policy.Level.MatchesFingerprints())
                throw new CommandException(ExitCode.Invalid, $"{nextHop} is at level {before.Policy.Level.Name()}, which takes no pins");
            var known = view.Store.ReadKnowledge(nextHop);
            var after = refused.Aggregate(before.Pins, (pins, fingerprint) => PinEditing.Reject(pins, fingerprint, context.Host.Time));
            return
            [
                new PlannedChange(nextHop, before, before with { Pins = after })
                {
                    Warnings = [.. PinEditing.Shared(before, known), .. refused.SelectMany(fingerprint => StillAccepted(after, fingerprint, known))],
                },
            ];
        });
    }

    /// <summary>The same server may be accepted by another pin: its certificate beside its key.</summary>
    private static IEnumerable<string> StillAccepted(ImmutableArray<Pin> after, Fingerprint refused, ProbeKnowledge? known) =>
        (known?.SightingsOf(refused) ?? [])
            .SelectMany(seen => after.Where(pin => pin.IsServed && seen.Certificate.Matches(pin.Fingerprint)))
            .DistinctBy(pin => pin.Fingerprint)
            .Select(pin => $"the same certificate is still accepted by the pin {pin.Fingerprint} ({pin.Subject.Name()}); reject it too");
}
