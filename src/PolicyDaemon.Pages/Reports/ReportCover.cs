using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Reports;

/// <summary>The first page of a report: what it is about, whether the record is whole, how much there is, and what is left out.</summary>
internal static class ReportCover
{
    internal static Html Of(AuditReport report, string title, string version)
    {
        var (scope, summary) = (report.Scope, report.Summary);
        return Html.Of(
            $"""
            <section class="cover">
            <p class="kind">PolicyDaemon · audit report</p>
            <h1><bdi>{title}</bdi></h1>
            <dl class="facts">
            <dt>As of</dt><dd>{Pieces.Time(scope.AsOf)}; what happened later is not in it</dd>
            <dt>Changes</dt><dd>{(scope.Since is { } since ? Html.Of($"since {Pieces.Time(since)}") : Html.Of($"all, since the store was made"))}</dd>
            <dt>Store</dt><dd><code>{summary.StoreId}</code>, made {Pieces.Time(summary.Begins)}</dd>
            <dt>Written by</dt><dd>policyctl {version}, from the audit log alone</dd>
            </dl>
            {Verification(summary)}
            {Numbers(scope, summary)}
            {Actors(summary)}
            {LeftOut(scope, summary)}
            <h2>To check it</h2>
            <p>The journal of the machine on which row {Pieces.Number(summary.Head.Sequence)} was written kept this hash when it was:</p>
            {Pieces.Command($"journalctl -t policyctl -t policyd -g head={summary.Head.Hash}")}
            <p>Is the log whole up to it? And the same report again, to compare:</p>
            {Pieces.Command($"policyctl audit --verify --head {summary.Head.Hash}")}
            {Pieces.Command(Again(scope))}
            </section>

            """);
    }

    private static Html Verification(ReportSummary summary)
    {
        var verified = summary.Verification;
        return verified.Problem is { } problem
            ? Html.Of(
                $"""
                <div class="verdict broken">
                <p class="word">The audit log is broken</p>
                <p>{problem}</p>
                <p>{Phrases.Count(verified.Rows, "row")} from the first are sound. What is said below of anything behind them proves nothing.</p>
                <p class="small">Last row: {Pieces.Number(summary.Head.Sequence)}, with hash <code class="hash">{summary.Head.Hash}</code></p>
                </div>
                """)
            : Html.Of(
                $"""
                <div class="verdict sound">
                <p class="word">The audit log is sound</p>
                <p>{(summary.Head.Sequence == 1 ? "Its only row fits" : $"Each of its {Pieces.Number(summary.Head.Sequence)} rows fits")} the hash it carries, which includes that of the row before: none was altered, added or taken out.</p>
                <dl class="facts">
                <dt>Head hash</dt><dd><code class="hash">{summary.Head.Hash}</code></dd>
                </dl>
                <p class="small">Whoever can write the store could write the whole log anew. That nobody did is proved by a head hash that was kept elsewhere, such as in the journal.</p>
                </div>
                """);
    }

    private static Html Numbers(ReportScope scope, ReportSummary summary) => Html.Of(
        $"""
        <ul class="tiles">
        <li><span class="figure">{Pieces.Number(summary.Changes)}</span> <span class="of">{(summary.Changes == 1 ? "change" : "changes")}{(scope.Since is null ? "" : " in this time")}</span></li>
        <li><span class="figure">{Pieces.Number(summary.Entries)}</span> <span class="of">{(summary.Entries == 1 ? "entry" : "entries")}</span></li>
        <li><span class="figure">{Pieces.Number(Enforced(summary))}</span> <span class="of">enforced</span></li>
        <li><span class="figure">{Pieces.Number(summary.Pins.Where(pins => pins.State.IsServed()).Sum(pins => pins.Count))}</span> <span class="of">pins served</span></li>
        </ul>
        {(scope.Key is null ? Html.Of($"<div class=\"two\">{Levels(summary)}{Pins(summary)}</div>") : Html.Empty)}
        """);

    private static long Enforced(ReportSummary summary) => summary.Levels.Sum(level => level.Enforced);

    private static Html Levels(ReportSummary summary) => summary.Levels.Count == 0 ? Html.Empty : Html.Of(
        $"""
        <div><table>
        <caption>Entries by TLS security level</caption>
        <thead><tr><th scope="col">Level</th><th scope="col" class="number">Enforced</th><th scope="col" class="number">Only observed</th></tr></thead>
        <tbody>{summary.Levels.Select(level => Html.Of(
            $"<tr><th scope=\"row\">{level.Level.Name()}</th><td class=\"number\">{Pieces.Number(level.Enforced)}</td><td class=\"number\">{Pieces.Number(level.Observed)}</td></tr>"))}</tbody>
        </table></div>
        """);

    private static Html Pins(ReportSummary summary) => summary.Pins.Count == 0 ? Html.Empty : Html.Of(
        $"""
        <div><table>
        <caption>Pins by state, and by what they were trusted on</caption>
        <thead><tr><th scope="col">State</th><th scope="col">Strength</th><th scope="col" class="number">Pins</th></tr></thead>
        <tbody>{summary.Pins.Select(pins => Html.Of(
            $"<tr><th scope=\"row\">{pins.State.Name()}</th><td>{Strength(pins.Strength)}</td><td class=\"number\">{Pieces.Number(pins.Count)}</td></tr>"))}</tbody>
        </table></div>
        """);

    private static Html Actors(ReportSummary summary) => summary.Actors.Count == 0 ? Html.Empty : Html.Of(
        $"""
        <table>
        <caption>Who made the changes</caption>
        <thead><tr><th scope="col">Actor</th><th scope="col" class="number">Changes</th><th scope="col" class="number">With a reason</th><th scope="col" class="number">Rows</th></tr></thead>
        <tbody>{summary.Actors.Select(actor => Html.Of(
            $"<tr><th scope=\"row\"><bdi>{actor.Name}</bdi></th><td class=\"number\">{Pieces.Number(actor.Changes)}</td><td class=\"number\">{Pieces.Number(actor.WithReason)}</td><td class=\"number\">{Pieces.Number(actor.Rows)}</td></tr>"))}</tbody>
        </table>
        {(summary.OtherActors == 0 ? Html.Empty : Html.Of($"<p class=\"small muted\">And {summary.OtherActors} more.</p>"))}
        """);

    private static Html LeftOut(ReportScope scope, ReportSummary summary)
    {
        var left = new List<Html>();
        if (summary.ShownChanges < summary.Changes)
            left.Add(Html.Of($"<li>The newest {Pieces.Number(summary.ShownChanges)} of {Pieces.Number(summary.Changes)} changes are shown. All of them: <code>policyctl audit --format tsv</code>; fewer: <code>--since</code></li>"));
        if (summary.AreRowsLeftOut)
            left.Add(Html.Of($"<li>Of changes with many rows the first {AuditReport.MostRowsOfChange} are shown, and how many there are.</li>"));
        if (scope.Key is null && summary.Entries > AuditReport.MostEntries)
            left.Add(Html.Of($"<li>The first {Pieces.Number(AuditReport.MostEntries)} of {Pieces.Number(summary.Entries)} entries are shown, in the order of their keys. One of the others: <code>policyctl report --html FILE KEY</code></li>"));
        if (summary.Unreadable > 0)
            left.Add(Html.Of($"<li>{Phrases.Count(summary.Unreadable, "entry", "entries")} cannot be read by this version and {(summary.Unreadable == 1 ? "is" : "are")} counted in no table.</li>"));
        return left.Count == 0 ? Html.Empty : Html.Of($"<h2>Left out</h2><ul class=\"left-out\">{left}</ul>");
    }

    private static string Again(ReportScope scope) =>
        "policyctl report --html report.html --as-of " + Instant(scope.AsOf) + (scope.Since is { } since ? " --since " + Instant(since) : "")
        + (scope.Key is { } key ? " " + Shell.Quote(key.Text) : "");

    private static string Instant(DateTimeOffset at) => Pieces.Moment(at, "yyyy-MM-ddTHH:mm:ssZ");

    internal static string Strength(PinStrength? strength) => strength?.Name() ?? "not trusted";
}
