using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Pages.Pictures;

namespace PolicyDaemon.Pages.Views;

/// <summary>What happened: the audit log, the newest first, and changes per day.</summary>
public static class AuditPage
{
    /// <summary>Rows on a page.</summary>
    public const int PageSize = 50;

    /// <summary>Days of the picture.</summary>
    public const int Days = 60;

    /// <param name="rows">The rows, the newest first.</param>
    /// <param name="key">The destination whose rows they are; null for all.</param>
    /// <param name="perDay">Changes per day; null where the page is not about all.</param>
    /// <param name="head">The end of the log.</param>
    /// <param name="at">When it was read.</param>
    public static Page Of(IReadOnlyList<AuditRow> rows, NextHop? key, IReadOnlyList<long>? perDay, AuditHead head, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var picture = perDay is null ? Html.Empty : Html.Of($"<section aria-label=\"How much changed\">{DayBars.Of("Changes per day", perDay, at)}</section>");
        var next = rows.Count == PageSize ? Html.Of($"<nav class=\"pager\" aria-label=\"Pages of the log\"><a href=\"{Path(key, rows[^1].Sequence)}\" rel=\"next\">Older rows</a></nav>") : Html.Empty;
        return new Page(
            key is { } one ? $"Audit log of {one.Text}" : "Audit log", SiteSection.Audit,
            Html.Of(
                $"""
                {picture}
                <section aria-label="Rows">
                {(key is { } about ? Html.Of($"<p>{Pieces.Destination(about.Text)} · <a href=\"/audit\">all rows</a></p>") : Html.Empty)}
                {(rows.Count == 0 ? Html.Of($"<p>There are no rows.</p>") : Html.Of($"<table class=\"stack\"><thead><tr><th scope=\"col\" class=\"number\">row</th><th scope=\"col\">when</th><th scope=\"col\">who</th><th scope=\"col\">what</th><th scope=\"col\">answer</th><th scope=\"col\">why</th></tr></thead><tbody>{rows.Select(Row)}</tbody></table>"))}
                {next}
                <p class="small muted">The log ends at row {head.Sequence}, <code>{head.Hash}</code>. Whether the chain holds: <code>policyctl audit --verify</code>; take a change back: <code>policyctl undo CHANGE</code></p>
                </section>
                """))
        {
            At = at,
        };
    }

    /// <summary>The address of a page of the log.</summary>
    public static string Path(NextHop? key, long before) =>
        FormattableString.Invariant($"/audit?{(key is { } one ? $"key={Uri.EscapeDataString(one.Text)}&" : "")}before={before}");

    private static Html Row(AuditRow row) => Html.Of(
        $"""
        <tr><th scope="row" class="number">{row.Sequence}</th><td>{Pieces.Minute(row.Time)}</td><td><bdi>{Pieces.Name(row.Actor.ToString())}</bdi></td>
        <td>{row.Action}{(row.Key is { } key ? Html.Of($" {Pieces.Destination(key)}") : Html.Empty)}<br><span class="small muted"><bdi>{Pieces.Name(row.Command)}</bdi>, change {row.ChangeId}</span></td>
        <td>{Answer(row)}</td><td><bdi>{row.Reason}</bdi></td></tr>
        """);

    private static Html Answer(AuditRow row) => row.AnswerBefore == row.AnswerAfter
        ? row.AnswerAfter is null ? Html.Empty : Html.Of($"<span class=\"muted\">as before</span>")
        : Html.Of(
            $"""
            <details><summary>{(row.AnswerBefore is null ? "new" : row.AnswerAfter is null ? "removed" : "changed")}</summary>
            before: <code>{row.AnswerBefore ?? "none"}</code><br>after: <code>{row.AnswerAfter ?? "none"}</code></details>
            """);
}
