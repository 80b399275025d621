using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Pages.Views;

/// <summary>The machines that answer, by how far each is behind the store. A store in a file has one: this.</summary>
public static class NodesPage
{
    public static Page Of(StatusReport status, string machine)
    {
        ArgumentNullException.ThrowIfNull(status);
        var snapshot = status.Live?.Snapshot;
        return new Page(
            "Nodes", SiteSection.Nodes,
            Html.Of(
                $"""
                <section id="nodes" data-refresh aria-label="Nodes">
                <table class="stack"><thead><tr><th scope="col">node</th><th scope="col">policyd</th><th scope="col" class="number">rows behind</th><th scope="col">answers from</th><th scope="col" class="number">destinations</th></tr></thead>
                <tbody><tr><th scope="row">{machine}</th>
                <td>{(status.Live is { } live ? Html.Of($"<span class=\"good\">running</span>, version {live.Version}, since {Pieces.Minute(live.StartedAt)}") : status.Running == false ? Html.Of($"<span class=\"bad\">not running</span>") : Html.Of($"<span class=\"caution\">cannot be told</span>"))}</td>
                <td class="number" data-name="rows behind">{(status.Behind is { } behind ? Pieces.Number(behind) : "")}</td>
                <td data-name="answers from">{(snapshot is null ? Html.Empty : Html.Of($"the {snapshot.Source}, row {snapshot.Sequence}, since {Pieces.Minute(snapshot.LoadedAt)}"))}</td>
                <td class="number" data-name="destinations">{(snapshot is null ? "" : Pieces.Number(snapshot.Destinations))}</td></tr></tbody></table>
                {Others(status)}
                {MachineryFacts.Of(status)}
                </section>
                """))
        {
            At = status.At,
            Notice = status.StoreProblem is { } problem ? Html.Of($"The store cannot be read: {problem.Message}") : null,
        };
    }

    /// <summary>Those that share a store on a server: the stale ones first, then those that are the furthest behind.</summary>
    private static Html Others(StatusReport status) => status.Nodes.Count == 0 ? Html.Empty : Html.Of(
        $"""
        <h2>Over the same store</h2>
        <table class="stack"><thead><tr><th scope="col">node</th><th scope="col">policyd</th><th scope="col" class="number">rows behind</th><th scope="col">probes</th><th scope="col">there</th><th scope="col">clock</th></tr></thead>
        <tbody>{status.Nodes.OrderByDescending(node => node.IsStale).ThenByDescending(node => status.BehindOf(node) ?? long.MaxValue).ThenBy(node => node.Name, StringComparer.Ordinal).Select(node => Row(node, status))}</tbody></table>
        """);

    private static Html Row(NodeState node, StatusReport status) => Html.Of(
        $"""
        <tr><th scope="row"><bdi>{node.Name}</bdi></th>
        <td>{(node.IsStale ? Html.Of($"<span class=\"bad\">not there</span>") : Html.Of($"<span class=\"good\">running</span>"))}, version {node.Version}</td>
        <td class="number" data-name="rows behind">{(status.BehindOf(node) is { } behind ? Pieces.Number(behind) : "")}</td>
        <td data-name="probes">{(node.HoldsLease ? node.MayProbe ? "probes and alerts" : "alerts; nobody probes" : node.MayProbe ? "waits for its turn" : node.IsRefused ? "may not: no role policydaemon_prober" : "does not (enabled = no)")}</td>
        <td data-name="there">{Pieces.Time(node.Seen)}</td>
        <td data-name="clock">{Clock(node.Ahead)}</td></tr>
        """);

    private static string Clock(TimeSpan ahead) => ahead.Duration() < TimeSpan.FromSeconds(1) ? "right"
        : $"{Phrases.Count((long)ahead.Duration().TotalSeconds, "second")} {(ahead > TimeSpan.Zero ? "ahead" : "behind")}";
}
