using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>How often, and how politely, servers are probed.</summary>
public sealed record ScheduleOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(24);

    /// <summary>From two thirds of a certificate's life, when it is usually renewed.</summary>
    public TimeSpan RenewalInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>While a candidate waits for evidence or a person.</summary>
    public TimeSpan CandidateInterval { get; init; } = TimeSpan.FromHours(4);

    /// <summary>After a failure; doubles with each further one, up to <see cref="Interval"/>.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A lookup of a pinned key whose last probe is older than this makes one due.</summary>
    public TimeSpan LookupStaleness { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two connections to one address, the second handshake of a probe apart.</summary>
    public TimeSpan AddressSpacing { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two connections to one provider: an IPv4 /24 or an IPv6 /48.</summary>
    public TimeSpan ProviderSpacing { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a server that has shown one certificate is asked whether it has one of the other key algorithm.</summary>
    public TimeSpan OtherAlgorithmInterval { get; init; } = TimeSpan.FromHours(20);

    /// <summary>Connections at one time.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>Destinations probed at one time; they share the connections and most of them wait for DNS.</summary>
    public int MaxDestinations { get; init; } = 128;

    /// <summary>Probes begun in a second at most: a long list is worked off evenly, and lookups keep a free core meanwhile.</summary>
    public int ProbesPerSecond { get; init; } = 600;

    /// <summary>The times of the pin life cycle.</summary>
    public RotationOptions Rotation { get; init; } = RotationOptions.Default;
}
