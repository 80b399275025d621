using System.CommandLine;
using PolicyDaemon.Cli.Changes;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin revoke</c></summary>
internal static class PinRevoke
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var fingerprints = PinArguments.Fingerprints();
        var write = new WriteOptions();
        var verb = new Verb("revoke", "Stop serving a pin. It stays in the record as retired; the last served pin of an entry cannot go.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin revoke example.com 5A:3B:...", "A server with this certificate or key gets no more mail."),
                ("policyctl pin revoke example.com 5A:3B:... --dry-run", "Show the answer before and after."),
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
        var revoked = context.Get(fingerprints)!.Select(PinEditing.Read).ToList();
        return new ChangeFlow(context, write).Run(view =>
        {
            var before = view.Get(nextHop);
            var after = before.Pins;
            foreach (var fingerprint in revoked)
            {
                if (!after.Any(pin => pin.Fingerprint == fingerprint && pin.IsServed))
                    throw new CommandException(
                        ExitCode.Negative, $"{nextHop} has no served pin {fingerprint}; see: policyctl pin list {Setup.Shell.Quote(nextHop.Text)}");
                after = PinEditing.Revoke(after, fingerprint, context.Host.Time);
            }

            return [new PlannedChange(nextHop, before, before with { Pins = after })];
        });
    }
}
