using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Visits every address of one destination, for a person who waits: nothing is taken from memory, nothing is stored.</summary>
public sealed class UnstoredProbe(IMxResolver resolver, IServerProbe probe, DigestAlgorithm digest, TimeProvider time)
{
    private const int MaxConnections = 16;

    /// <summary>Also visit with the MX host's name as SNI where the certificate shown without it is not valid for the name.</summary>
    public bool TriesServerName { get; init; }

    /// <param name="watched">The destination as it is configured, or would be. What is remembered of it does not count.</param>
    /// <param name="progress">Told after each address how many are done and how many there are.</param>
    public async Task<ProbedDestination> RunAsync(
        DestinationState watched, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(watched);
        var resolution = await resolver.ResolveAsync(watched.Key, watched.ProbeAs, cancellation);
        var look = new DestinationEvaluation(
            watched with { Targets = [], LastResolution = null, TrustedHosts = null }, resolution, time.GetUtcNow());
        var targets = look.Targets.DistinctBy(target => target.Target).ToList();
        var seen = new ConcurrentDictionary<ProbeTarget, Observation>();
        var named = new ConcurrentDictionary<ProbeTarget, Observation>();
        var done = 0;
        using var connections = new SemaphoreSlim(MaxConnections);
        // One after the other at one address, side by side elsewhere.
        await Task.WhenAll(targets.GroupBy(target => target.Target.Address).Select(async lane =>
        {
            foreach (var target in lane)
            {
                await connections.WaitAsync(cancellation);
                try
                {
                    var observation = seen[target.Target] = await probe.ProbeAsync(target.Target, bothAlgorithms: true, cancellation);
                    if (TriesServerName && IsWorthANamedProbe(target, observation))
                    {
                        var other = new ProbeTarget(target.Target.Address, target.Target.Port, target.MxHost);
                        named[target.Target] = await probe.ProbeAsync(other, bothAlgorithms: false, cancellation);
                    }
                }
                finally
                {
                    connections.Release();
                }

                progress?.Report((Interlocked.Increment(ref done), targets.Count));
            }
        }));

        var addresses = look.Addresses(Histories(seen, seen));
        var withNames = look.Addresses(Histories(seen, named));
        return new ProbedDestination(
            resolution,
            [
                .. addresses.Zip(withNames, (addressState, withName) => Probed(resolution, addressState, withName, seen, named))
                    .OrderBy(address => address.Host.Preference)
                    .ThenBy(address => address.Host.Name, StringComparer.Ordinal)
                    .ThenBy(address => address.Seen.Target.Address.AddressFamily)
                    .ThenBy(address => address.Seen.Target),
            ],
            look.Finish(Histories(seen, seen), digest, new Brake(), new ScheduleOptions()));
    }

    /// <summary>Histories of one observation each; another's words are taken down under the target's own name.</summary>
    private static Dictionary<ProbeTarget, AddressHistory> Histories(
        ConcurrentDictionary<ProbeTarget, Observation> seen, ConcurrentDictionary<ProbeTarget, Observation> preferred) =>
        seen.ToDictionary(pair => pair.Key, pair =>
        {
            var observation = preferred.GetValueOrDefault(pair.Key) ?? pair.Value;
            return new AddressHistory(pair.Key).With(observation with { Target = pair.Key });
        });

    private static ProbedAddress Probed(
        MxResolution resolution, AddressState watched, AddressState withName,
        ConcurrentDictionary<ProbeTarget, Observation> seen, ConcurrentDictionary<ProbeTarget, Observation> named) =>
        new(resolution.Hosts.First(host => host.Name == watched.MxHost), seen[watched.History.Target], watched)
        {
            Named = named.GetValueOrDefault(watched.History.Target),
            NamedState = withName,
        };

    private static bool IsWorthANamedProbe(MxTarget target, Observation seen) =>
        target.Target.ServerName is null && !IPAddress.TryParse(target.MxHost, out _)
        && seen is { Outcome: ProbeOutcome.Secured, Certificates: [var first, ..] }
        && !(first.Chain == ChainVerdict.Trusted && first.Certificate.Covers(target.MxHost));
}
