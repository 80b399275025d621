using System.Collections.Immutable;

namespace PolicyDaemon.Core.Runtime;

/// <summary>The state of the prober in the daemon.</summary>
/// <param name="State"><c>on</c>, <c>off</c> (<c>enabled = no</c>), <c>waiting</c> for its turn among the nodes over the same store, <c>refused</c> where its user of the server may not probe, or <c>failing</c> while it cannot work.</param>
/// <param name="Problem">Why the prober cannot work, or may not; null otherwise.</param>
/// <param name="Destinations">How many destinations there are to probe.</param>
/// <param name="InFlight">How many destinations are being probed.</param>
/// <param name="Due">How many destinations wait for their probe.</param>
/// <param name="PassEnded">When nothing was due or under way any more; null where it has not come to that.</param>
/// <param name="Resolver">Whether what the resolver calls secure counts; null while the prober does not work.</param>
/// <param name="Brake">Null before the first probe.</param>
/// <param name="Alerts">Findings that wait for the alert command or the webhook.</param>
public sealed record ProberStatus(
    string State,
    string? Problem,
    int Destinations,
    int InFlight,
    int Due,
    DateTimeOffset? PassEnded,
    ResolverStatus? Resolver,
    BrakeStatus? Brake,
    int Alerts)
{
    /// <summary>Probes of destinations that have ended since the prober began, whatever they met.</summary>
    public long Probes { get; init; }

    /// <summary>Probes of addresses since the daemon started, by outcome, and destinations of which DNS named no address.</summary>
    public IReadOnlyDictionary<string, long> Outcomes { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>How long probes of addresses took (<see cref="DurationBounds.Probe"/>); null from a version that did not count.</summary>
    public DurationCount? Durations { get; init; }

    /// <summary>Pins that the prober moved since the daemon started, by their state after; <c>forgotten</c> where nothing is kept of them.</summary>
    public IReadOnlyDictionary<string, long> Transitions { get; init; } = ImmutableDictionary<string, long>.Empty;
}

/// <summary>The resolver, and whether what it says of DNSSEC counts.</summary>
/// <param name="Servers">Addresses with ports; empty for the system's.</param>
/// <param name="Trusted">The configuration says that its AD bit counts.</param>
/// <param name="SelfTestPassed">Null before the first self-test, which a resolver that is not trusted never has.</param>
/// <param name="SelfTestAt">When the last self-test was.</param>
/// <param name="Detail">What is wrong, or what the test could not tell.</param>
public sealed record ResolverStatus(
    IReadOnlyList<string> Servers, bool Trusted, bool? SelfTestPassed, DateTimeOffset? SelfTestAt, string? Detail);

/// <summary>The brake.</summary>
/// <param name="On">No pin changes by itself.</param>
/// <param name="MxHosts">How many MX hosts the pinned destinations have.</param>
/// <param name="NewKeys">How many MX hosts showed a new key within a day.</param>
public sealed record BrakeStatus(bool On, int MxHosts, int NewKeys);
