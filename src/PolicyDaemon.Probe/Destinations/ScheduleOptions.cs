using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Intervals and limits of probing: how often a destination is probed, and how much a server is asked of at a time.</summary>
public sealed record ScheduleOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The interval from two thirds of a certificate's life on, when certificates are usually renewed.</summary>
    public TimeSpan RenewalInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The interval while a candidate waits for evidence or a person.</summary>
    public TimeSpan CandidateInterval { get; init; } = TimeSpan.FromHours(4);

    /// <summary>The wait after a failed probe; it doubles with each further failure, up to <see cref="Interval"/>.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The age of the last probe from which on a lookup of a pinned key makes a probe due.</summary>
    public TimeSpan LookupStaleness { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The time between two connections to one address, except for the second handshake of one probe.</summary>
    public TimeSpan AddressSpacing { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The time between two connections to one provider: an IPv4 /24 or an IPv6 /48.</summary>
    public TimeSpan ProviderSpacing { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a server that has shown one certificate is asked whether it has one of the other key algorithm.</summary>
    public TimeSpan OtherAlgorithmInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often a server that refused TLS 1.2 is asked for the other key algorithm, which takes that version: another refusal would be one more error in its log.</summary>
    public TimeSpan OtherAlgorithmIntervalWithoutTls12 { get; init; } = TimeSpan.FromDays(91);

    /// <summary>The most connections at one time.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>The most destinations that are probed at one time; these share the connections, and most of them wait for DNS.</summary>
    public int MaxDestinations { get; init; } = 128;

    /// <summary>The most probes that begin in a second, so that a long list leaves processor time for lookups.</summary>
    public int ProbesPerSecond { get; init; } = 600;

    /// <summary>The times of the pin life cycle.</summary>
    public RotationOptions Rotation { get; init; } = RotationOptions.Default;
}
