namespace PolicyDaemon.Probe.Discovery;

/// <summary>How much discovery does at once, and for how long.</summary>
public sealed record DiscovererOptions
{
    /// <summary>Destinations whose DNS is asked at the same time; the others wait their turn.</summary>
    public int MaxDestinations { get; init; } = 64;

    /// <summary>For all DNS questions of a destination together; what is not answered by then has failed.</summary>
    public TimeSpan DnsTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How old a shared answer about an MX host may be, whatever its TTL.</summary>
    public TimeSpan OldestAnswer { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a verdict waits to be written with others, so that a busy day makes few transactions.</summary>
    public TimeSpan WriteDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When what could not be written is tried again.</summary>
    public TimeSpan WriteRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Verdicts that are written at once without waiting.</summary>
    public int WriteBatch { get; init; } = 256;
}
