using System.Collections.Immutable;
using System.Net;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Options of the DNS client: resolvers, trust in them, times.</summary>
public sealed record DnsOptions
{
    /// <summary>The resolvers to ask, in this order; empty: the system's.</summary>
    public ImmutableArray<IPEndPoint> Resolvers { get; init; } = [];

    /// <summary>The administrator says that the path to the resolver is safe and that it validates; then its AD bit counts, after the self-test.</summary>
    public bool ResolverTrusted { get; init; }

    /// <summary>A name with an address record that must come back secure.</summary>
    public string SecureTestName { get; init; } = "www.isc.org";

    /// <summary>A name that must come back bogus; null: that half of the self-test is skipped.</summary>
    public string? BogusTestName { get; init; } = "dnssec-failed.org";

    /// <summary>How long one question may take, all resolvers and tries together.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer of one resolver is awaited before the next resolver is asked.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a passed self-test counts.</summary>
    public TimeSpan SelfTestLife { get; init; } = TimeSpan.FromHours(1);
}
