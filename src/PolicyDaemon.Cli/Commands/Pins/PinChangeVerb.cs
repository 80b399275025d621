using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>What the verbs of <c>pin</c> that change something have in common: a key, its fingerprints, and how a change is made.</summary>
internal static class PinChangeVerb
{
    /// <param name="verb">With its examples and exit codes.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="plan">From what is asked for to what the destination becomes.</param>
    /// <param name="then">What is said once it is done.</param>
    /// <param name="more">Options of this verb alone.</param>
    internal static Verb Complete(Verb verb, CommandRunner runner, Func<PinChange, PlannedChange> plan, Action<CommandContext, NextHop>? then = null, params ReadOnlySpan<Option> more)
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
            var named = context.Get(fingerprints)!.Select(PinEditing.Read).Distinct().ToList();
            var code = new ChangeFlow(context, write).Run(view =>
                [plan(new PinChange(context, view, view.Get(nextHop), named, context.Get(write.Reason) is not null))]);
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
