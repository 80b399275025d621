using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Discovery;

/// <summary><c>discovery warm|import</c>: what mail was sent to, and what another daemon has cached, known before Postfix asks.</summary>
internal static class DiscoveryIntake
{
    // What is wrong with the first lines is wrong with the others.
    private const int ShownProblems = 10;

    internal static Command Warm(CommandRunner runner)
    {
        var file = new Argument<string>("FILE") { Description = "A list of domains or addresses, one a line, or a mail log of Postfix; - is standard input" };
        var dryRun = DryRun("Say what would be discovered, and ask nobody");
        var verb = new Verb("warm", "Discover the destinations of a list or of a mail log now, so that the first day has no first sights.")
        {
            Columns = ["name", "value"],
            ExitCodes = "6 where so much failed that the resolver or the network here is the likely cause",
            Examples =
            [
                ("policyctl discovery warm /var/log/mail.log", "Everything that mail was sent to, as smtp(8) has logged it."),
                ("journalctl -u 'postfix*' --since -7d | policyctl discovery warm -", "The same from the journal."),
                ("policyctl discovery warm --dry-run domains.txt", "See first how many there are."),
            ],
        };
        verb.Add(file);
        verb.Add(dryRun);
        verb.SetAction(runner.Handle((context, cancellation) => WarmAsync(context, context.Get(file)!, context.Get(dryRun), isImport: false, cancellation)));
        return verb;
    }

    internal static Command Import(CommandRunner runner)
    {
        var file = new Argument<string>("FILE") { Description = "postfix-mta-sts-resolver's SQLite cache, or a list of domains as postfix-tlspol -export writes it" };
        var dryRun = DryRun("Say what would be taken over, and change nothing");
        var verb = new Verb("import", "Take over what another daemon knows: the cached policies of postfix-mta-sts-resolver with their times, or the domains of postfix-tlspol.")
        {
            Columns = ["name", "value"],
            ExitCodes = "5 where the file is neither; 6 as for discovery warm",
            Examples =
            [
                ("policyctl discovery import --dry-run /var/lib/mta-sts/cache.db", "See what is still in force."),
                ("policyctl discovery import /var/lib/mta-sts/cache.db", "Keep to every policy from the first mail, as the daemon before did."),
                ("policyctl discovery import tlspol-domains.txt", "postfix-tlspol tells its domains; they are discovered now."),
            ],
        };
        verb.Add(file);
        verb.Add(dryRun);
        verb.SetAction(runner.Handle((context, cancellation) => ImportAsync(context, context.Get(file)!, context.Get(dryRun), cancellation)));
        return verb;
    }

    private static Option<bool> DryRun(string description) => new("--dry-run", "-n") { Description = description };

    private static async Task<ExitCode> ImportAsync(CommandContext context, string file, bool isDryRun, CancellationToken cancellation)
    {
        if (file != "-" && File.Exists(file) && IsDatabase(file))
            return ImportCache(context, file, isDryRun);
        return await WarmAsync(context, file, isDryRun, isImport: true, cancellation);
    }

    private static bool IsDatabase(string file)
    {
        try
        {
            return ResolverCache.IsDatabase(file);
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Permission, $"{file}: access denied; run as a user who may read it");
        }
    }

    private static ExitCode ImportCache(CommandContext context, string file, bool isDryRun)
    {
        var settings = context.Settings;
        using var store = context.OpenStore(isDryRun ? StoreAccess.Read : StoreAccess.Write);
        var done = CachedPolicies.Import(file, store, new DiscoveryScope(settings.Discovery.Skip), isDryRun, context.Host.Time.GetUtcNow());
        foreach (var problem in done.Problems.Take(ShownProblems))
            context.Report.Warning($"{file}: {problem}");
        if (done.Unreadable > ShownProblems)
            context.Report.Warning($"{file}: {Phrases.Count(done.Unreadable - ShownProblems, "more row")} without a policy");
        List<(string, Cell)> facts =
        [
            (isDryRun ? "would be taken over" : "taken over", Number(done.Taken.Count)),
            ("known already", Number(done.Known)),
            ("expired", Number(done.Expired)),
            ("not enforced", Number(done.NotEnforced)),
            ("not discovered", Number(done.Outside)),
            ("unreadable", Number(done.Unreadable)),
        ];
        context.Report.Facts(facts, new IntakeJson(isDryRun, done.Taken.Count, [.. done.Taken.Select(key => key.Text)], null, done.Known, done.Expired, done.NotEnforced, 0, done.Outside, done.Unreadable), CliJson.Default.IntakeJson);
        var unanswered = UnansweredDiscovery.Of(settings, isOfPolicies: true);
        if (unanswered is not null)
            context.Report.Warning(unanswered);
        else if (done.Taken.Count > 0 && !isDryRun && context.Report.IsTable)
            context.Report.Note("The daemon keeps to them from their first lookup on, and fetches each anew when it is due.");
        return ExitCode.Done;
    }

    private static async Task<ExitCode> WarmAsync(CommandContext context, string file, bool isDryRun, bool isImport, CancellationToken cancellation)
    {
        var settings = context.Settings;
        using var store = context.OpenStore(isDryRun ? StoreAccess.Read : StoreAccess.Write);
        var warmUp = new DiscoveryWarmUp();
        using (var list = TableSource.Open(context, file, isImport ? "postfix-mta-sts-resolver's cache (an SQLite database), or a list of domains" : "a list of domains, or a mail log"))
            warmUp.Read(list, store, settings, context.Host.Time.GetUtcNow());
        foreach (var (line, problem) in warmUp.Problems.Take(ShownProblems))
            context.Report.Warning($"{file}, line {line}: {problem}");
        if (warmUp.Unreadable > ShownProblems)
            context.Report.Warning($"{file}: {Phrases.Count(warmUp.Unreadable - ShownProblems, "more line")} without a destination");
        if (isImport && warmUp.IsNoList)
        {
            throw new CommandException(
                ExitCode.Invalid, $"{file}: neither a cache of postfix-mta-sts-resolver (an SQLite database) nor a list of domains: no line of it names one; nothing was stored");
        }

        if (warmUp.Beyond > 0)
            context.Report.Warning($"{file}: {Phrases.Count(warmUp.Beyond, "destination")} beyond the first {DiscoveryWarmUp.Most} passed over");
        if (UnansweredDiscovery.Of(settings, isOfPolicies: false) is { } unanswered)
            context.Report.Warning(unanswered);
        string? trouble = null;
        if (!isDryRun && warmUp.Keys.Count > 0)
        {
            try
            {
                using var progress = Progress.Start(context.Host, "discovering", warmUp.Keys.Count, worthShowing: 2);
                trouble = await warmUp.RunAsync(store, settings, context.Host.Time, progress.Report, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                throw DiscoveryText.Interrupted(warmUp.Verdicts.Values.Sum(), warmUp.Keys.Count);
            }
            catch (DiscoveryStoreException fault)
            {
                throw new CommandException(ExitCode.Invalid, fault.Message);
            }

            context.Host.Done();
        }

        List<(string, Cell)> facts = [(isDryRun ? "would be discovered" : "discovered", Number(warmUp.Keys.Count))];
        foreach (var (verdict, count) in warmUp.Verdicts.OrderByDescending(pair => pair.Value))
            facts.Add((verdict, Number(count)));
        facts.Add(("have an entry", Number(warmUp.Entered)));
        facts.Add(("not discovered", Number(warmUp.Outside)));
        facts.Add(("unreadable", Number(warmUp.Unreadable)));
        context.Report.Facts(
            facts, new IntakeJson(isDryRun, warmUp.Keys.Count, null, isDryRun ? null : warmUp.Verdicts, 0, 0, 0, warmUp.Entered, warmUp.Outside, warmUp.Unreadable),
            CliJson.Default.IntakeJson);
        if (trouble is null)
            return ExitCode.Done;
        context.Report.Warning(trouble + "; mend that first, then warm again: what is known is not asked for twice");
        return ExitCode.Inconclusive;
    }

    private static string Number(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
