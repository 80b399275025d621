using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>What the verbs of <c>pin</c> that change something have in common: a key, its fingerprints, and how a change is made.</summary>
internal static class PinChangeVerb
{
    /// <param name="verb">With its examples and exit codes.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="decide">What is decided.</param>
    /// <param name="then">What is said once it is done.</param>
    /// <param name="more">Options of this verb alone.</param>
    internal static Verb Complete(
        Verb verb, CommandRunner runner, Func<CommandContext, PinDecision, PlannedChange> decide, Action<CommandContext, NextHop>? then = null,
        params ReadOnlySpan<Option> more)
    {
        var key = Arguments.Key();
        var fingerprints = new Argument<string[]>("FINGERPRINT")
        {
            Description = "Hexadecimal, with or without colons, of the certificate or of its public key",
            Arity = ArgumentArity.OneOrMore,
        };
        var write = new WriteOptions();
        verb.Add(key);
        verb.Add(fingerprints);
        foreach (var option in more)
            verb.Add(option);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context =>
        {
            var nextHop = context.Key(key);
            var named = context.Get(fingerprints)!.Select(Arguments.Fingerprint).ToList();
            var code = ChangeCommand.Run(context, write, view => [decide(context, new PinDecision(
                view, nextHop, named, context.Get(write.Reason) is not null, context.Settings.Postfix.FingerprintDigest, context.Host.Time))]);
            if (!context.Get(write.DryRun))
                then?.Invoke(context, nextHop);
            return code;
        }));
        return verb;
    }

    /// <summary>A finding is what a probe saw, and so it ends with a probe.</summary>
    internal static void SayWhenFindingsEnd(CommandContext context, NextHop key)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        if (store.OpenFindings().Any(open => open.Finding.Subject == key.Text))
        {
            context.Report.Note(
                $"Findings about {key.ToDisplayString()} end with its next probe, which the daemon makes now; without the daemon: policyctl probe {Shell.Quote(key.Text)}");
        }
    }
}
