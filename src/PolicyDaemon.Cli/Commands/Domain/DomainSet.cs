using System.CommandLine;
using PolicyDaemon.Cli.Changes;

namespace PolicyDaemon.Cli.Commands.Domain;

/// <summary><c>domain set</c></summary>
internal static class DomainSet
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var policy = new PolicyOptions();
        var enforce = new Option<bool>("--enforce") { Description = "Enforce an entry that was only observed" };
        var unset = new Option<string[]>("--unset") { HelpName = "ATTRIBUTE", Description = "Take an attribute away, such as ciphers; repeatable" };
        var write = new WriteOptions();
        var verb = new Verb("set", "Change a destination. What is not named stays as it is; --match adds pins at fingerprint and replaces names elsewhere.")
        {
            Columns = ChangeReport.Columns,
            Examples =
            [
                ("policyctl domain set example.com --level secure --match mx.example.com", "Raise the level; an attribute that is named replaces what was there."),
                ("policyctl domain set example.com --unset ciphers --dry-run", "See the answer without the attribute."),
                ("policyctl domain set example.com --level encrypt --reason 'ticket 4711: partner moves'", "Lowering a level takes a reason."),
            ],
        };
        verb.Add(key);
        policy.AddTo(verb);
        verb.Add(enforce);
        verb.Add(unset);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, key, policy, enforce, unset, write)));
        return verb;
    }

    private static ExitCode Run(
        CommandContext context, Argument<string> key, PolicyOptions policy, Option<bool> enforce, Option<string[]> unset, WriteOptions write)
    {
        var nextHop = context.Key(key);
        var taken = (context.Get(unset) ?? []).Select(name => PolicyOptions.Find(name).Name).ToHashSet(StringComparer.Ordinal);
        return new ChangeFlow(context, write).Run(view =>
        {
            var before = view.Get(nextHop);
            var after = policy.Apply(context, before, taken);
            if (context.Get(enforce))
                after = after with { Observe = false };
            return [new PlannedChange(nextHop, before, after)];
        });
    }
}
