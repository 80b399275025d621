using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Reports;

/// <summary>The changes of a report: who, when, with which command, why, and what each did to the answers.</summary>
internal static class ReportChanges
{
    internal static void Write(TextWriter output, AuditReport report)
    {
        var none = true;
        foreach (var change in report.Changes())
        {
            output.Write(Of(change));
            none = false;
        }

        if (none)
            output.Write(Html.Of($"<p>Nothing was changed in this time.</p>\n"));
    }

    private static Html Of(ReportedChange change) => Html.Of(
        $"""
        <article class="change" id="change-{change.Id}">
        <h3>{Pieces.Time(change.Time)} · change {change.Id} · <bdi>{change.Actor.ToString()}</bdi></h3>
        {Reason(change)}
        {(change.Command.Length == 0 ? Html.Empty : Html.Of($"<p class=\"small\"><code>{change.Command}</code></p>"))}
        <table class="rows">
        <thead><tr><th scope="col" class="number">Row</th><th scope="col">Key</th><th scope="col">Did</th><th scope="col">Answer before</th><th scope="col">Answer after</th></tr></thead>
        <tbody>{change.Rows.Select(Row)}</tbody>
        </table>
        {(change.Count > change.Rows.Count ? Html.Of($"<p class=\"small muted\">And {Pieces.Number(change.Count - change.Rows.Count)} more rows of the same change.</p>") : Html.Empty)}
        </article>

        """);

    // What a rule decided says why beside each pin.
    private static Html Reason(ReportedChange change) => change.Reason is { } reason
        ? Html.Of($"<p class=\"reason\">Reason: <bdi>{Html.Whole(reason)}</bdi></p>")
        : change.Rows.Any(row => row.Decided.Count > 0) ? Html.Empty : Html.Of($"<p class=\"reason none\">No reason was given; it took none.</p>");

    private static Html Row(ReportedRow reported)
    {
        var row = reported.Row;
        return Html.Of(
            $"""
            <tr><td class="number">{row.Sequence}</td><th scope="row"><bdi>{row.Key ?? "the store"}</bdi></th><td>{row.Action}</td>{Answers(row)}</tr>
            {reported.Decided.Select(pin => Decided(pin, row.Reason))}
            """);
    }

    private static Html Answers(AuditRow row) => row.Key is null
        ? Html.Of($"<td></td><td></td>")
        : row.AnswerBefore == row.AnswerAfter
            ? Html.Of($"<td colspan=\"2\">{Answer(row.AnswerAfter)} <span class=\"muted\">(the same)</span></td>")
            : Html.Of($"<td>{Answer(row.AnswerBefore)}</td><td>{Answer(row.AnswerAfter)}</td>");

    private static Html Answer(string? answer) => answer is null ? Html.Of($"<span class=\"muted\">none</span>") : Html.Of($"<code>{answer}</code>");

    // The reason of a single decision is that of the change, which stands above.
    private static Html Decided(DecidedPin pin, string? said) => Html.Of(
        $"""
        <tr class="decided"><td></td><td colspan="4">{ReportEntries.Fingerprint(pin.Fingerprint)} {pin.From ?? "new"} → {pin.To ?? "forgotten"}, rule {pin.Rule}{(said?.EndsWith(pin.Reason, StringComparison.Ordinal) == true ? Html.Empty : Html.Of($": <bdi>{pin.Reason}</bdi>"))}</td></tr>
        """);
}
