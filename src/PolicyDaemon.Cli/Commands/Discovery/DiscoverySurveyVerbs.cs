using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Discovery;

/// <summary><c>discovery report|problems</c>: what discovery would change for mail, and what others publish that is broken. Nobody is asked.</summary>
internal static class DiscoverySurveyVerbs
{
    private static readonly TimeSpan Window = TimeSpan.FromDays(7);

    private static readonly string[] Names =
    [
        DiscoveredAnswer.DaneOnly.Name(), DiscoveredAnswer.Secure.Name(), DiscoveredAnswer.Dane.Name(), DiscoveredAnswer.NotFound.Name(), DiscoverySurvey.Unknown,
    ];

    internal static Command Report(CommandRunner runner)
    {
        var since = new Option<string?>("--since") { HelpName = "TIME", Description = "Only destinations that Postfix asked for since: 2h, 30d, 2026-11-23; 7d without it" };
        var verb = new Verb("report", "What mode = on would change, by the mail that was sent: how many destinations get which answer, and whose mail would wait.")
        {
            Columns = ["verdict", "destinations", "mail (what happens to it)"],
            ExitCodes = "1 where mail of a destination would wait; 6 where Postfix has asked for none yet",
            Examples =
            [
                ("policyctl discovery report", "After some days of mode = observe: what would mode = on do?"),
                ("policyctl discovery report --since 30d --format json | jq -r '.waiting[].key'", "Whose mail would wait, one a line."),
            ],
        };
        verb.Add(since);
        verb.SetAction(runner.Handle(context => RunReport(context, context.Get(since))));
        return verb;
    }

    internal static Command Problems(CommandRunner runner)
    {
        var kind = new Option<string?>("--kind") { HelpName = "KIND", Description = "Only this kind, such as record-broken" };
        var verb = new Verb("problems", "List what others publish and is broken, or does less than it seems to: the gravest first. Nobody is alerted of most of it.")
        {
            Columns = ["key", "severity", "kind", "used_at", "detail", "command"],
            ExitCodes = "1 where there is one",
            Examples =
            [
                ("policyctl discovery problems", "Whose postmaster would like to know?"),
                ("policyctl discovery problems --kind record-broken --format tsv | cut -f1", "The domains whose MTA-STS record is broken."),
            ],
        };
        verb.Add(kind);
        verb.SetAction(runner.Handle(context => RunProblems(context, context.Get(kind))));
        return verb;
    }

    private static ExitCode RunReport(CommandContext context, string? since)
    {
        var (settings, now) = (context.Settings, context.Host.Time.GetUtcNow());
        var window = Window;
        if (since is not null)
        {
            window = Moments.TryParse(since, context.Host.Time, out var moment) && moment <= now
                ? now - moment
                : throw new CommandException(ExitCode.Usage, $"--since takes 90m, 2h, 7d, 2026-11-23 or 2026-11-23T08:00 in the past, not '{since}'");
        }

        using var store = context.OpenStore(StoreAccess.Read);
        var survey = DiscoverySurvey.Of(store, settings, now, window);
        var table = new Table("verdict", "destinations", "mail");
        foreach (var name in Names.Where(survey.Verdicts.ContainsKey))
            table.Add(name, survey.Verdicts[name].ToString(CultureInfo.InvariantCulture), Mail(name, settings));
        if (context.Report.IsTable)
            Head(context, survey, settings);
        context.Report.Rows(table, SurveyJson.From(survey, DiscoveredJson.Kebab(settings.Discovery.Mode), settings.Postfix.SecurityLevel.Name()), CliJson.Default.SurveyJson);
        if (context.Report.IsTable)
            Waiting(context, survey);
        return survey.Destinations + survey.Entered == 0 ? ExitCode.Inconclusive : survey.Waiting.Count > 0 ? ExitCode.Negative : ExitCode.Done;
    }

    private static void Head(CommandContext context, DiscoverySurvey survey, Settings settings)
    {
        var report = context.Report;
        if (survey.Destinations + survey.Entered == 0)
        {
            report.Line(
                settings.Discovery.Mode == DiscoveryMode.Off
                    ? "Nothing was discovered for mail: set [discovery] mode = observe, or run 'policyctl discovery warm /var/log/mail.log'."
                    : $"Postfix has asked for no destination since {DiscoveryText.Time(survey.Since)}.");
            return;
        }

        report.Line($"{Phrases.Count(survey.Destinations, "destination")} without an entry since {DiscoveryText.Time(survey.Since)}, and {Phrases.Count(survey.Entered, "one", "others")} that an entry answers for or skip names, to which nothing changes. "
            + (settings.Discovery.Mode == DiscoveryMode.On ? "They are answered like this:" : "With [discovery] mode = on they would be answered:"));
        report.Line();
    }

    private static void Waiting(CommandContext context, DiscoverySurvey survey)
    {
        var report = context.Report;
        if (survey.Destinations == 0)
            return;
        report.Line();
        if (survey.Waiting.Count == 0)
        {
            report.Line("As far as DNS and the policies tell, mail of none of them would wait; 'policyctl check DOMAIN' also looks at the servers.");
            return;
        }

        report.Line($"Mail of {Phrases.Count(survey.Waiting.Count, "destination")} would wait, as the senders of others make it wait, too:", Tone.Caution);
        var table = new Table("key", "verdict", "why");
        foreach (var waiting in survey.Waiting)
            table.Add(waiting.Key.Text, waiting.Verdict, waiting.Why);
        report.Aligned(table);
    }

    private static string Mail(string verdict, Settings settings)
    {
        var level = settings.Postfix.SecurityLevel.Name();
        return verdict switch
        {
            "dane-only" => "delivered only where the certificate matches TLSA records",
            "secure" => "delivered only to hosts that the MTA-STS policy names, with a trusted certificate",
            "dane" => "DANE at the hosts that have TLSA records, the others as before",
            "not-found" => $"as before: smtp_tls_security_level = {level}",
            _ => $"not known; answered {DiscoveredReply.Unknown(settings.Discovery.Conditions(settings.Postfix), settings.Discovery.DefersFirstSight).ToDisplayString()}",
        };
    }

    private static ExitCode RunProblems(CommandContext context, string? wanted)
    {
        DiscoveryRemarkKind? only = null;
        if (wanted is not null)
        {
            only = DiscoveryRemarkNames.TryParse(wanted, out var kind)
                ? kind
                : throw new CommandException(ExitCode.Usage, $"'{wanted}' is no kind of problem; write one of {string.Join(", ", Enum.GetValues<DiscoveryRemarkKind>().Select(known => known.Name()))}");
        }

        using var store = context.OpenStore(StoreAccess.Read);
        var found = PublishedProblem.Read(store, context.Settings, context.Host.Time.GetUtcNow()).Where(problem => only is null || problem.Remark.Kind == only).ToList();
        var table = new Table("key", "severity", "kind", "used_at", "detail", "command") { Spare = ["used_at", "kind"] };
        foreach (var (key, remark, used) in found)
            table.Add(key.Text, new Cell(remark.Severity.Name(), remark.Severity == FindingSeverity.ForInformation ? Tone.Plain : Tone.Caution), remark.Kind.Name(), DiscoveryText.Time(used), remark.Detail, remark.Remedy ?? "");
        context.Report.Rows(
            table, [.. found.Select(problem => new PublishedProblemJson(problem.Key.Text, problem.Remark.Kind.Name(), problem.Remark.Severity.Name(), problem.Used, problem.Remark.Detail, problem.Remark.Remedy))],
            CliJson.Default.IReadOnlyListPublishedProblemJson, whenEmpty: "Nobody publishes anything broken, of the destinations that are known.");
        return found.Count > 0 ? ExitCode.Negative : ExitCode.Done;
    }
}
