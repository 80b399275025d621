using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>What the running daemon says of its prober, in words.</summary>
internal static class ProberFacts
{
    internal static IEnumerable<(string Name, Cell Value)> Of(ProberStatus prober)
    {
        yield return ("prober", prober.State switch
        {
            "on" => string.Create(
                CultureInfo.InvariantCulture,
                $"probes {Phrases.Count(prober.Destinations, "destination")}, {prober.InFlight} now, {prober.Due} due{(prober.PassEnded is { } ended ? $"; last caught up at {UtcTime.Text(ended)}" : "")}"),
            "waiting" => "waits for its turn among the nodes over the same store",
            "refused" => prober.Problem ?? "",
            "off" => new Cell("off (enabled = no in [probe]): pins do not follow their servers", Tone.Caution),
            _ => new Cell($"cannot work: {prober.Problem}", Tone.Bad),
        });
        if (prober.Brake is { On: true } brake)
        {
            yield return ("brake", new Cell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"on: by now {brake.NewKeys} of {brake.MxHosts} MX hosts of pinned destinations showed a new key of late; no pin changes by itself"),
                Tone.Bad));
        }

        if (prober.Resolver is { } resolver)
            yield return ("resolver", Resolver(resolver));
        if (prober.Alerts > 0)
            yield return ("alerts", new Cell(string.Create(CultureInfo.InvariantCulture, $"{prober.Alerts} wait to be delivered"), Tone.Caution));
    }

    /// <summary>Destinations without an entry.</summary>
    internal static Cell Of(DiscoveryStatus discovery)
    {
        var known = string.Join(", ", discovery.Known.Where(pair => pair.Value > 0).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}")));
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{(discovery.Mode == "on" ? "on" : "observes, nothing is answered")}; in memory: {(known.Length == 0 ? "nothing" : known)}; {Phrases.Count((int)Math.Min(discovery.FirstSights, int.MaxValue), "first sight")}, {discovery.TimedOut} without a verdict in time");
        return discovery.Trouble is null ? text : new Cell($"{text}; {discovery.Trouble}", Tone.Bad);
    }

    private static Cell Resolver(ResolverStatus resolver) => resolver switch
    {
        { Trusted: false } => "not trusted (resolver_trusted = no): nothing it says counts as secure",
        { SelfTestPassed: null } => "trusted, not tested yet",
        { SelfTestPassed: true } => $"trusted; self-test passed at {UtcTime.Text(resolver.SelfTestAt!.Value)}{(resolver.Detail is null ? "" : $" ({resolver.Detail})")}",
        _ => new Cell($"trusted, but its self-test fails: {resolver.Detail}", Tone.Bad),
    };
}
