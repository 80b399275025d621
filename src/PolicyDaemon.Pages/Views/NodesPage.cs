using PolicyDaemon.Administration.Status;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Views;

/// <summary>The machines that answer, by how far each is behind the store. A store in SQLite has one: this.</summary>
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
                {MachineryFacts.Of(status)}
                </section>
                """))
        {
            At = status.At,
            Notice = status.StoreProblem is { } problem ? Html.Of($"The store cannot be read: {problem.Message}") : null,
        };
    }
}
