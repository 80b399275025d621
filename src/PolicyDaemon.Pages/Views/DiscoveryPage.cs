using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Views;

/// <summary>Destinations without an entry: what discovery does, and the verdicts over those that publish something, with their evidence.</summary>
public static class DiscoveryPage
{
    /// <summary>Destinations on a page.</summary>
    public const int PageSize = 50;

    /// <param name="status">The status.</param>
    /// <param name="page">A page of the destinations that publish something.</param>
    /// <param name="after">The key behind which it begins; empty for the first.</param>
    /// <param name="next">The key behind which the next one begins; null where none follows.</param>
    public static Page Of(StatusReport status, IReadOnlyList<DiscoveredState> page, string after, string? next)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(page);
        return new Page("Discovery", SiteSection.Discovery, Html.Of($"{Daemon(status)}{List(page)}{Pager(after, next)}")) { At = status.At };
    }

    private static Html Daemon(StatusReport status)
    {
        if (status.Live?.Discovery is not { } discovery)
        {
            return Html.Of(
                $"<p>{(status.Live is null ? "What discovery does cannot be told while policyd does not answer." : "Discovery is off: destinations without an entry are answered as not found.")} It is set by <code>mode</code> in <code>[discovery]</code>.</p>");
        }

        return Html.Of(
            $"""
            <section id="discovery" data-refresh aria-labelledby="discovery-title">
            <h2 id="discovery-title">What it does now</h2>
            {(discovery.Trouble is { } trouble ? Html.Of($"<p class=\"notice\">{trouble}</p>") : Html.Empty)}
            <ul class="tiles">{discovery.Known.OrderByDescending(one => one.Value).Select(one => Tile(one.Value, one.Key))}</ul>
            {MachineryFacts.Facts(Facts(discovery))}
            </section>
            """);
    }

    private static IEnumerable<(string, Html)> Facts(DiscoveryStatus discovery)
    {
        yield return ("mode", Html.Of($"{(discovery.Mode == "on" ? "on" : "observes; nothing is answered")}"));
        yield return ("now", Html.Of($"{Pieces.Number(discovery.Running)} being discovered, {Phrases.Count(discovery.Waiting, "lookup")} waiting"));
        yield return ("lookups", Html.Of($"{string.Join(", ", discovery.Lookups.Where(one => one.Value > 0).Select(one => $"{Pieces.Number(one.Value)} {one.Key}"))}"));
        yield return ("first sights", Html.Of($"{Pieces.Number(discovery.FirstSights)}; {Pieces.Number(discovery.TimedOut)} without a verdict in time, {Pieces.Number(discovery.NotWaited)} not waited for"));
        yield return ("verdicts", Html.Of($"{Pieces.Number(discovery.ChangesUp)} became stricter, {Pieces.Number(discovery.ChangesDown)} weaker; {Pieces.Number(discovery.NearLapse)} policies end within a day unless they are renewed"));
        if (discovery.DnsFailures.Values.Any(count => count > 0))
            yield return ("DNS failures", Html.Of($"{string.Join(", ", discovery.DnsFailures.Where(one => one.Value > 0).Select(one => $"{Pieces.Number(one.Value)} {one.Key}"))}"));
    }

    private static Html Tile(long count, string of) => Html.Of($"<li><span class=\"figure\">{Pieces.Number(count)}</span> <span class=\"of\">{of}</span></li>");

    private static Html List(IReadOnlyList<DiscoveredState> page) => page.Count == 0
        ? Html.Of($"<p>Nothing that publishes DANE or MTA-STS is remembered.</p>")
        : Html.Of(
            $"""
            <section aria-labelledby="verdicts-title">
            <h2 id="verdicts-title">Verdicts and their evidence</h2>
            <table class="stack"><thead><tr><th scope="col">destination</th><th scope="col">verdict</th><th scope="col">why</th><th scope="col">asked last</th><th scope="col">renewed</th></tr></thead>
            <tbody>{page.Select(Row)}</tbody></table>
            </section>
            """);

    private static Html Row(DiscoveredState state) => Html.Of(
        $"""
        <tr><th scope="row">{Pieces.Destination(state.Key.Text)}</th><td>{state.Verdict?.Answer.Name()}</td>
        <td>{state.Why}{state.Remarks.Take(3).Select(remark => Html.Of($"<br><span class=\"small muted\">{remark.Detail}</span>"))}</td>
        <td data-name="asked last">{(state.Memory is { } memory && memory.Used > DateTimeOffset.UnixEpoch ? Pieces.Minute(memory.Used) : Html.Empty)}</td><td data-name="renewed">{(state.NextDue is { } due && due > DateTimeOffset.UnixEpoch ? Pieces.Minute(due) : Html.Empty)}</td></tr>
        """);

    private static Html Pager(string after, string? next)
    {
        var first = after.Length > 0 ? Html.Of($"<a href=\"/discovery\">First page</a>") : Html.Empty;
        var following = next is null ? Html.Empty : Html.Of($"<a href=\"/discovery?after={Uri.EscapeDataString(next)}\" rel=\"next\">Next page</a>");
        return first.IsEmpty && following.IsEmpty ? Html.Empty : Html.Of($"<nav class=\"pager\" aria-label=\"Pages of the list\">{first}{following}</nav>");
    }
}
