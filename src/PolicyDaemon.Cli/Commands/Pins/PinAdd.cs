using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin add</c></summary>
internal static class PinAdd
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var fingerprints = PinArguments.Fingerprints();
        var of = new Option<string?>("--of") { HelpName = "certificate|public-key", Description = "What the fingerprint was taken of, if you know; Postfix tries both" };
        of.AcceptOnlyFromAmong(PinSubject.Certificate.Name(), PinSubject.PublicKey.Name());
        var write = new WriteOptions();
        var verb = new Verb("add", "Add a pin, for example the next key before the partner uses it. It is served at once.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured",
            Examples =
            [
                ("policyctl pin add example.com 5A:3B:...", "Accept one more certificate or key."),
                ("openssl x509 -in next.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -c", "The fingerprint of a public key; it survives renewals with the same key."),
                ("policyctl pin add example.com 5A:3B:... --of public-key --dry-run", "Show the answer before and after."),
            ],
        };
        verb.Add(key);
        verb.Add(fingerprints);
        verb.Add(of);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, key, fingerprints, of, write)));
        return verb;
    }

    private static ExitCode Run(
        CommandContext context, Argument<string> key, Argument<string[]> fingerprints, Option<string?> of, WriteOptions write)
    {
        var nextHop = context.Key(key);
        var pins = context.Get(fingerprints)!.Select(PinEditing.Read).ToList();
        var subject = PinNames.TryParse(context.Get(of), out PinSubject named) ? named : PinSubject.Unknown;
        var readmit = context.Get(write.Reason) is not null;
        return new ChangeFlow(context, write).Run(view =>
        {
            var before = view.Get(nextHop);
            if (!before.Policy.Level.MatchesFingerprints())
                throw new CommandException(
                    ExitCode.Invalid,
                    $"{nextHop} is at level {before.Policy.Level.Name()}, which takes no pins; to pin it: "
                    + $"policyctl domain set {Setup.Shell.Quote(nextHop.Text)} --level fingerprint --match {pins[0]}");
            var after = pins.Aggregate(before.Pins, (known, pin) => PinEditing.Trust(known, pin, subject, context.Host.Time, readmit));
            return [new PlannedChange(nextHop, before, before with { Pins = after })];
        });
    }
}
