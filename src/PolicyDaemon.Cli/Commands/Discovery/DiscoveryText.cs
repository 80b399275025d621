using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Commands.Discovery;

/// <summary>What discovery knows of a destination, for people: the verdict and its row, the policy, the MX hosts, every DNS answer.</summary>
internal static class DiscoveryText
{
    /// <summary>What Ctrl-C leaves of a discovery of many: each is stored once it is known.</summary>
    internal static CommandException Interrupted(long done, int all) => new(
        ExitCode.Inconclusive,
        string.Create(CultureInfo.InvariantCulture, $"interrupted: {done} of {Phrases.Count(all, "destination")} {(done == 1 ? "was" : "were")} discovered, and what was found is stored; run it again for the others"));

    internal static void Write(Report report, DiscoveredState state, Settings settings, IReadOnlyList<DnsAnswer> answers, DateTimeOffset now)
    {
        report.Facts(Facts(state, settings, now));
        if (state.Verdict is { Facts.Hosts: { IsEmpty: false } hosts } verdict)
        {
            report.Line();
            var table = new Table("mx_host", "pref", "dns", "policy", "mail");
            foreach (var host in hosts)
            {
                table.Add(
                    host.Name, host.Preference.ToString(CultureInfo.InvariantCulture), DiscoveredState.Phrase(host.Class),
                    verdict.Policy is { } kept ? kept.Policy.Covers(host.Name) ? "named" : new Cell("not named", Tone.Caution) : "-",
                    state.MailAt(host, settings.Postfix.SecurityLevel));
            }

            report.Aligned(table);
        }

        if (answers.Count > 0)
        {
            report.Line();
            var table = new Table("asked", "dnssec", "ttl", "resolver", "at", "answer");
            foreach (var answer in answers)
            {
                table.Add(
                    answer.Question.ToString(), DiscoveredState.Phrase(answer.Security), TimeSpan.FromSeconds((long)answer.Ttl.TotalSeconds).ToText(), answer.Resolver ?? "-", Time(answer.At),
                    answer.Worked ? answer.Data.IsEmpty ? "(none)" : string.Join(", ", answer.Data) : new Cell(answer.Detail ?? "failed", Tone.Caution));
            }

            report.Aligned(table);
        }

        if (state.Memory?.Sts.Kept is { } policy)
        {
            report.Line();
            report.Line("its MTA-STS policy, as it was served:", Tone.Heading);
            foreach (var line in StsPolicy.Lines(policy.Text))
                report.Line("  " + line);
        }

        if (state.Changes.Count == 0)
            return;
        report.Line();
        var changes = new Table("changed_at", "from", "from_row", "to", "to_row");
        foreach (var change in state.Changes)
            changes.Add(Time(DateTimeOffset.FromUnixTimeSeconds(change.At)), change.FromAnswer ?? "-", change.FromRow ?? "-", change.ToAnswer, change.ToRow);
        report.Aligned(changes);
    }

    internal static List<(string, Cell)> Facts(DiscoveredState state, Settings settings, DateTimeOffset now)
    {
        var facts = new List<(string, Cell)>
        {
            ("verdict", new Cell(state.Verdict is { IsUnknown: false } known ? known.Answer.Name() : "unknown", ToneOf(state.Verdict))),
            ("why", state.Why),
            ("answer", new Cell(state.Answer.ToDisplayString(), state.Answer.Kind == LookupAnswerKind.Temporary ? Tone.Caution : Tone.Plain)),
        };
        if (state.TlsRptAnswer != state.Answer)
            facts.Add((MapName.TlsPolicyTlsRpt.Name(), state.TlsRptAnswer.ToDisplayString()));
        if (settings.Discovery.Mode != DiscoveryMode.On)
            facts.Add(("served", new Cell($"no: [discovery] mode = {(settings.Discovery.Mode == DiscoveryMode.Off ? "off" : "observe")} answers nothing", Tone.Caution)));
        if (state.Verdict is { } verdict)
        {
            facts.Add(("mx", $"{DiscoveredState.Phrase(verdict.Facts.Mx)}; asked {Time(verdict.Facts.At)}, TTL {TimeSpan.FromSeconds((long)verdict.Facts.Ttl.TotalSeconds).ToText()}"));
            if (!verdict.Facts.IsVouched && settings.Discovery.Dane)
                facts.Add(("resolver", new Cell("not trusted, or its self-test failed: nothing it says counts as secure", Tone.Caution)));
            if (verdict.ValidUntil is { } end)
                facts.Add(("ends", Time(end)));
        }

        if (state.Memory is { } memory)
        {
            if (memory.FailingSince is { } since)
                facts.Add(("failing", new Cell($"since {Time(since)}, {memory.Failures.ToString(CultureInfo.InvariantCulture)} lookups in a row", Tone.Caution)));
            facts.Add(("renewed", state.NextDue <= now ? "with its next lookup" : $"when it is looked up after {Time(state.NextDue!.Value)}"));
            if (memory.Used > DateTimeOffset.UnixEpoch)
                facts.Add(("used", Time(memory.Used)));
            facts.Add(("mta-sts", Sts(memory.Sts, now)));
        }

        foreach (var remark in state.Remarks)
            facts.Add(("note", new Cell(remark.Detail + (remark.Remedy is null ? "" : $"; {remark.Remedy}"), remark.Severity == FindingSeverity.ForInformation ? Tone.Plain : Tone.Caution)));
        return facts;
    }

    internal static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static string Sts(StsMemory sts, DateTimeOffset now)
    {
        var record = sts.Announcement switch
        {
            StsAnnouncement.Announced => $"record with id {sts.Id}",
            StsAnnouncement.Absent => "no record",
            StsAnnouncement.Broken => $"record broken: {sts.Problem}",
            _ => sts.RecordAt is null ? "not asked for" : $"record cannot be looked up: {sts.Problem}",
        };
        var kept = sts.Kept is not { } policy ? ""
            : $"; policy id {(policy.Id.Length == 0 ? "(none)" : policy.Id)}, mode {policy.Policy.Mode.Name()}, {(policy.IsInForce(now) ? "in force" : "not in force")}, "
                + $"fetched {Time(policy.Fetched)}, expires {Time(policy.Expires)}, fetched again {Time(sts.FetchDue)}";
        var failure = sts.Failure is { } status ? $"; the last fetch failed: {status.Name()}, {sts.FailureDetail}" : "";
        return record + kept + failure;
    }

    private static Tone ToneOf(DiscoveryVerdict? verdict) => verdict switch
    {
        null or { IsUnknown: true } => Tone.Caution,
        { Answer: DiscoveredAnswer.DaneOnly or DiscoveredAnswer.Secure } => Tone.Good,
        _ => Tone.Plain,
    };
}
