using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Administration.Probing;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary><c>probe</c>: probes configured destinations now, as the daemon does, and stores what was seen.</summary>
internal static class ProbeVerb
{
    // Each takes a few queries; of more at once the brake has the word.
    private const int MostWithEvidence = 50;

    internal static Command Create(CommandRunner runner)
    {
        var keys = new Argument<string[]>("KEY") { HelpName = "KEY", Description = "Configured destinations", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Every configured destination" };
        var verb = new Verb("probe", "Probe destinations now, store what was seen, and show what it means. Works beside the daemon and without it.")
        {
            Columns = ProbeReport.Columns,
            ExitCodes = "1 where mail to one of them would be refused, by some or every address, or a KEY is not configured; 6 where it cannot be told of one, or after Ctrl-C",
            Examples =
            [
                ("policyctl probe example.com", "Is the pinned key still the one that is presented?"),
                ("policyctl probe --all", "The same of every destination; Ctrl-C keeps what was seen until then."),
                ("policyctl probe --all --format tsv | awk -F'\\t' '$2 != \"ok\"'", "Only those that need attention."),
            ],
        };
        verb.Add(keys);
        verb.Add(all);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, context.Get(keys) ?? [], context.Get(all), cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, string[] names, bool all, CancellationToken cancellation)
    {
        if (all == (names.Length > 0))
            throw new CommandException(ExitCode.Usage, "name destinations to probe, or --all for every configured one");
        var keys = names.Select(CommandContext.ParseKey).Distinct().ToList();
        // Opened first: who may not write is told so before anything is asked of anybody.
        using (var store = context.OpenStore(StoreAccess.Write))
        {
            foreach (var key in keys.Where(key => store.FindInForce(key) is null))
                throw StoreView.Missing(store, key);
        }

        using var ledger = new ProbeLedger(context.Settings.Database, context.Settings.Postfix, context.Host.Time);
        if (all)
            keys = [.. ledger.List().Select(due => due.Key).Order()];
        IReadOnlyList<StoredProbe> results;
        using (var progress = new Progress(context.Host, "probing", worthShowing: 2))
            results = await new ProbeRunner(context.Settings, context.Host.Time).RunAsync(ledger, keys, progress, cancellation);
        if (results.Count > 0)
            context.Host.Done();
        ProbeReport.Write(context.Report, results, context.Settings.Postfix.FingerprintDigest, context.Host.Time.GetUtcNow(), Evidence(context, results));
        if (keys.Count == 0)
            context.Report.Note("No destination is configured; add one with: policyctl domain add KEY --level LEVEL");
        if (results.Count < keys.Count && cancellation.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Inconclusive, FormattableString.Invariant($"interrupted: {results.Count} of {keys.Count} were probed; what was seen of those is stored"));
        }

        var code = Code(results);
        if (code == ExitCode.Done && !all && keys is [var only] && IsObserved(context, only))
            context.Report.Note(NextCommand.Line($"policyctl domain set {Shell.Quote(only.Text)} --enforce"));
        return code;
    }

    /// <summary>What settles new keys without a person, by destination; of the destinations that are told of one by one.</summary>
    private static Dictionary<string, string>? Evidence(CommandContext context, IReadOnlyList<StoredProbe> results)
    {
        if (!context.Report.IsTable)
            return null;
        using var store = context.OpenStore(StoreAccess.Read);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var result in results.Where(result => result.Verdict != DestinationVerdict.Ok).Take(MostWithEvidence))
        {
            if (store.FindInForce(NextHop.Parse(result.Key)) is { } entry && SettlingEvidence.Of(store, entry, context.Settings, context.Host.Time.GetUtcNow()) is { } evidence)
                found[result.Key] = evidence.Sentence;
        }

        return found;
    }

    /// <summary>Whether an entry is not enforced, though its servers are as it says.</summary>
    private static bool IsObserved(CommandContext context, NextHop key)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        return store.FindInForce(key) is { Observe: true };
    }

    private static ExitCode Code(IReadOnlyList<StoredProbe> results)
    {
        var verdicts = results.Select(result => result.Verdict).ToHashSet();
        if (verdicts.Contains(DestinationVerdict.Mismatch) || verdicts.Contains(DestinationVerdict.Degraded))
            return ExitCode.Negative;
        return verdicts.Contains(DestinationVerdict.Unknown) || verdicts.Contains(DestinationVerdict.Unreachable) ? ExitCode.Inconclusive : ExitCode.Done;
    }
}
