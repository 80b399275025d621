using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.Probing;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>Shows probes: one in full, many as a table with what a person should read below.</summary>
internal static class ProbeReport
{
    // So many are read one by one.
    private const int InFull = 3;
    private const int Labels = 12;

    /// <summary>The columns of <c>--format tsv</c>.</summary>
    internal static readonly string[] Columns = ["key", "verdict", "seen (addresses, seen/all)", "days_left", "pins", "findings", "next_probe"];

    /// <param name="report">The report.</param>
    /// <param name="results">The probes.</param>
    /// <param name="digest">The digest of the keys that are shown.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="evidence">What settles a new key of a destination without a person, by its key.</param>
    internal static void Write(
        Report report, IReadOnlyList<StoredProbe> results, DigestAlgorithm digest, DateTimeOffset now, IReadOnlyDictionary<string, string>? evidence = null)
    {
        if (report.Format == OutputFormat.Json)
            report.Json([.. results.Select(result => ProbeJson.From(result, digest, now))], CliJson.Default.IReadOnlyListProbeJson);
        else if (report.Format == OutputFormat.Tsv || results.Count > InFull)
            report.Rows(Table(results, now), default!, CliJson.Default.IReadOnlyListProbeJson);
        if (!report.IsTable)
            return;
        foreach (var result in results.Where(result => results.Count <= InFull || HasNews(result)))
        {
            if (results.Count > InFull || !ReferenceEquals(result, results[0]))
                report.Line();
            Write(report, result, digest, now, isWhole: results.Count <= InFull, evidence?.GetValueOrDefault(result.Key));
        }
    }

    internal static Table Table(IReadOnlyList<StoredProbe> results, DateTimeOffset now)
    {
        var table = new Table("key", "verdict", "seen", "days_left", "pins", "findings", "next_probe");
        foreach (var result in results)
        {
            table.Add(
                result.Key, ProbeText.Verdict(result), ProbeText.Addresses(result), ProbeText.Days(result, now), ProbeText.Moved(result),
                ProbeText.Findings(result), UtcTime.Text(result.Result.NextDue));
        }

        return table;
    }

    private static bool HasNews(StoredProbe result) => !result.Moved.IsEmpty || !result.Findings.IsEmpty;

    private static void Write(Report report, StoredProbe result, DigestAlgorithm digest, DateTimeOffset now, bool isWhole, string? evidence)
    {
        report.Line(result.Key, Tone.Heading);
        var facts = new List<(string, Cell)> { ("verdict", ProbeText.Verdict(result)) };
        if (isWhole)
        {
            if (!result.Result.Resolution.Worked)
                facts.Add(("dns", new Cell($"{Refusals.Why(result.Result.Resolution.Outcome)}: {result.Result.Resolution.Detail}", Tone.Caution)));
            foreach (var address in result.Listed)
                facts.Add(("seen", ProbeText.Address(address, digest) is var cell ? cell with { Text = $"{address.MxHost} [{address.History.Target.Address}] {cell.Text}" } : cell));
            if (result.FirstExpiry is { } expiry)
                facts.Add(("expires", $"{UtcTime.Text(expiry)}, {ProbeText.Days(result, now)} days left"));
        }

        foreach (var transition in result.Moved)
            facts.Add(("pin", new Cell(ProbeText.Transition(transition), transition.To == PinState.Candidate ? Tone.Caution : Tone.Good)));
        report.Block(facts, Labels);
        foreach (var finding in result.Findings)
            Write(report, finding);
        if (evidence is not null)
            report.Block([("evidence", new Cell(evidence, Tone.Caution))], Labels);
        if (isWhole)
            report.Block([("next probe", new Cell($"at {UtcTime.Text(result.Result.NextDue)} by the daemon", Tone.Faint))], Labels);
    }

    /// <summary>A finding with what was expected beside what was seen.</summary>
    internal static void Write(Report report, Finding finding)
    {
        report.Block([("finding", new Cell($"{ProbeText.Kind(finding)}: {finding.Detail}", Tone.Caution))], Labels);
        var facts = new List<(string, Cell)>();
        facts.AddRange(finding.Expected.Select(pin => ("expected", new Cell(pin.Hex))));
        facts.AddRange(finding.Seen.Select(seen => ("seen", new Cell(ProbeText.Seen(seen)))));
        report.Block(facts, Labels - 2, 4);
        report.Line("    " + "settle it".PadRight(Labels - 2) + "  " + finding.Remedy);
    }
}
