using PolicyDaemon.Administration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Pages.Pictures;
using PolicyDaemon.Store.Browsing;

namespace PolicyDaemon.Pages.Views;

/// <summary>The destinations that have an entry, a page at a time in the order of their keys.</summary>
public static class DestinationsPage
{
    /// <summary>Destinations on a page.</summary>
    public const int PageSize = 50;

    /// <param name="page">The page.</param>
    /// <param name="filter">Which destinations it is of.</param>
    /// <param name="after">The key behind which it begins; empty for the first.</param>
    /// <param name="at">When it was read.</param>
    public static Page Of(BrowsedPage page, BrowseFilter filter, string after, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(filter);
        return new Page("Destinations", SiteSection.Destinations, Html.Of($"{Form(filter)}{List(page, filter)}{Pager(page, filter, after)}")) { At = at };
    }

    /// <summary>The address of a page of the list.</summary>
    public static string Path(BrowseFilter filter, string after)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var query = new List<string>();
        if (filter.Text.Length > 0)
            query.Add("q=" + Uri.EscapeDataString(filter.Text));
        if (filter.Level is { } level)
            query.Add("level=" + level.Name());
        if (filter.WithFindings)
            query.Add("findings=yes");
        if (after.Length > 0)
            query.Add("after=" + Uri.EscapeDataString(after));
        return "/destinations" + (query.Count == 0 ? "" : "?" + string.Join('&', query));
    }

    private static Html Form(BrowseFilter filter) => Html.Of(
        $"""
        <form class="filter" action="/destinations" method="get" role="search">
        <label>Part of the key <input type="search" name="q" value="{filter.Text}" maxlength="253" autocomplete="off" spellcheck="false"></label>
        <label>Level <select name="level"><option value="">any</option>{Enum.GetValues<TlsLevel>().Select(level => Html.Of($"<option{(filter.Level == level ? Html.Of($" selected") : Html.Empty)}>{level.Name()}</option>"))}</select></label>
        <label>Findings <select name="findings"><option value="">any</option><option value="yes"{(filter.WithFindings ? Html.Of($" selected") : Html.Empty)}>open</option></select></label>
        <button type="submit">Show</button>
        </form>
        """);

    private static Html List(BrowsedPage page, BrowseFilter filter)
    {
        if (page.Rows.Count == 0)
            return Html.Of($"<p>{(page.Next is null ? filter == new BrowseFilter() ? "There are no destinations yet; add one with policyctl domain add, or take a table over with policyctl import." : "No destination matches." : "None of the keys that were looked through matches.")}</p>");
        return Html.Of(
            $"""
            <table class="stack"><thead><tr><th scope="col">destination</th><th scope="col">level</th><th scope="col">verdict</th><th scope="col">last probes</th><th scope="col">last probe</th></tr></thead>
            <tbody>{page.Rows.Select(Row)}</tbody></table>
            """);
    }

    private static Html Row(BrowsedDestination row) => Html.Of(
        $"""
        <tr><th scope="row">{Pieces.Destination(row.Key)}</th><td>{row.Level}{(row.Observe ? Html.Of($" <span class=\"muted\">only observed</span>") : Html.Empty)}</td>
        <td>{Verdict(row.Verdict)}</td><td>{ProbeStrip.Of(row.Outcomes)}</td><td>{(row.LastProbe is { } last ? Pieces.Minute(last) : Html.Empty)}</td></tr>
        """);

    internal static Html Verdict(DestinationVerdict? verdict) => verdict switch
    {
        null => Html.Of($"<span class=\"muted\">not probed</span>"),
        DestinationVerdict.Ok => Html.Of($"<span class=\"good\">ok</span>"),
        DestinationVerdict.Mismatch => Html.Of($"<span class=\"bad\">mismatch</span>"),
        { } other => Html.Of($"<span class=\"caution\">{other.Name()}</span>"),
    };

    private static Html Pager(BrowsedPage page, BrowseFilter filter, string after)
    {
        var first = after.Length > 0 ? Html.Of($"<a href=\"{Path(filter, "")}\">First page</a>") : Html.Empty;
        var next = page.Next is not { } key ? Html.Empty
            : page.Complete ? Html.Of($"<a href=\"{Path(filter, key)}\" rel=\"next\">Next page</a>")
            : Html.Of($"<span>Looked through up to <bdi>{key}</bdi>; <a href=\"{Path(filter, key)}\" rel=\"next\">look further</a></span>");
        return first.IsEmpty && next.IsEmpty ? Html.Of($"<p class=\"muted small\">{Phrases.Count(page.Rows.Count, "destination")}</p>") : Html.Of($"<nav class=\"pager\" aria-label=\"Pages of the list\">{first}{next}</nav>");
    }
}
