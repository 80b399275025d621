using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Views;

/// <summary>Daemon, snapshot, lookups, prober, resolver, brake and store, a line each.</summary>
internal static class MachineryFacts
{
    internal static Html Of(StatusReport status)
    {
        var facts = new List<(string Name, Html Value)> { ("policyd", Daemon(status)) };
        if (status.Live is { } live)
        {
            facts.Add(("answers", Html.Of($"{MailEffect.Of(status)}")));
            if (live.Snapshot is { } snapshot)
                facts.Add(("snapshot", Html.Of($"{Pieces.Number(snapshot.Destinations)} destinations up to row {snapshot.Sequence} of the audit log, from the {snapshot.Source}, since {Pieces.Time(snapshot.LoadedAt)}")));
            var counters = live.Counters;
            facts.Add(("lookups", Html.Of(
                $"{Pieces.Number(counters.Found)} found, {Pieces.Number(counters.NotFound)} not found, {Pieces.Number(counters.Temporary)} temporary, {Pieces.Number(counters.Permanent)} permanent, {Pieces.Number(counters.NearMisses)} near misses")));
            facts.Add(("connections", Html.Of(
                $"{Pieces.Number(counters.Connections.Open)} open, {Pieces.Number(counters.Connections.Accepted)} accepted, {Pieces.Number(counters.Connections.Refused)} refused, {Pieces.Number(counters.Connections.Evicted)} made way")));
            if (live.Prober is { } prober)
                facts.AddRange(Prober(prober));
            if (live.Discovery is { } discovery)
                facts.Add(("discovery", Html.Of($"<a href=\"/discovery\">{discovery.Mode}</a>, {Pieces.Number(discovery.Known.Values.Sum())} destinations in memory{(discovery.Trouble is { } trouble ? Html.Of($"; <span class=\"bad\">{trouble}</span>") : Html.Empty)}")));
            if (live.LogLinesDropped > 0)
                facts.Add(("log", Html.Of($"<span class=\"caution\">{Pieces.Number(live.LogLinesDropped)} lines dropped: nobody read it, or it could not be written</span>")));
        }

        facts.Add(("store", Store(status)));
        return Facts(facts);
    }

    internal static Html Facts(IEnumerable<(string Name, Html Value)> facts) => Html.Of(
        $"<dl class=\"facts\">{facts.Select(fact => Html.Of($"<dt>{fact.Name}</dt><dd>{fact.Value}</dd>"))}</dl>");

    internal static Html Daemon(StatusReport status) => status switch
    {
        { Elsewhere: { } elsewhere } => Html.Of($"<span class=\"caution\">{elsewhere}</span>"),
        { Running: false } => Html.Of($"<span class=\"bad\">not running</span> {Pieces.Command(DaemonAbsence.Start)}"),
        { Live: { } live } => Html.Of($"<span class=\"good\">running</span>, version {live.Version}, process {live.ProcessId}, since {Pieces.Time(live.StartedAt)}; answers on {string.Join(", ", live.Endpoints)}"),
        { Running: true, Daemon: { } last } => Html.Of($"<span class=\"caution\">running, but it has not said how it is since</span> {Pieces.Time(last.WrittenAt)}; its log says why"),
        _ => Html.Of($"<span class=\"caution\">cannot be told</span>: {status.Settings.StatusFile} is not there, or this program may not read it"),
    };

    private static IEnumerable<(string Name, Html Value)> Prober(ProberStatus prober)
    {
        yield return ("prober", prober.State switch
        {
            "on" => Html.Of($"probes {Phrases.Count(prober.Destinations, "destination")}, {prober.InFlight} now, {prober.Due} due{(prober.PassEnded is { } ended ? Html.Of($"; last caught up at {Pieces.Time(ended)}") : Html.Empty)}"),
            "waiting" => Html.Of($"waits for its turn among the <a href=\"/nodes\">nodes</a> over the same store"),
            "refused" => Html.Of($"{prober.Problem}"),
            "off" => Html.Of($"<span class=\"caution\">off: pins do not follow their servers</span>"),
            _ => Html.Of($"<span class=\"bad\">cannot work:</span> {prober.Problem}"),
        });
        if (prober.Resolver is { } resolver)
        {
            yield return ("resolver", resolver switch
            {
                { Trusted: false } => Html.Of($"not trusted: nothing it says counts as secure"),
                { SelfTestPassed: null } => Html.Of($"trusted, not tested yet"),
                { SelfTestPassed: true, SelfTestAt: { } at } => Html.Of($"<span class=\"good\">trusted</span>; self-test passed at {Pieces.Time(at)}"),
                _ => Html.Of($"<span class=\"bad\">its self-test fails:</span> {resolver.Detail}"),
            });
        }

        if (prober.Brake is { } brake)
        {
            yield return ("brake", brake.On
                ? Html.Of($"<span class=\"bad\">on:</span> {brake.NewKeys} of {brake.MxHosts} MX hosts showed a new key of late; no pin changes by itself")
                : Html.Of($"off; {brake.NewKeys} of {brake.MxHosts} MX hosts showed a new key within a day"));
        }

        if (prober.Alerts > 0)
            yield return ("alerts", Html.Of($"<span class=\"caution\">{prober.Alerts} wait to be delivered</span>"));
    }

    private static Html Store(StatusReport status) => status.StoreProblem is { } problem
        ? Html.Of($"<span class=\"bad\">{problem.Message}</span>")
        : Html.Of($"{status.Settings.Database}{(status.Head is { } head ? $", audit log at row {head.Sequence}" : "")}");
}
