using System.CommandLine;
using PolicyDaemon.Cli.Changes;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>What the verbs of <c>pin</c> that change something have in common: a key, its fingerprints, and how a change is made.</summary>
internal static class PinChangeVerb
{
    /// <param name="verb">With its examples and exit codes.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="plan">From what is asked for to what the destination becomes.</param>
    /// <param name="more">Options of this verb alone.</param>
    internal static Verb Complete(Verb verb, CommandRunner runner, Func<PinChange, PlannedChange> plan, params ReadOnlySpan<Option> more)
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
            return new ChangeFlow(context, write).Run(view =>
                [plan(new PinChange(context, view, view.Get(nextHop), named, context.Get(write.Reason) is not null))]);
        }));
        return verb;
    }
}
