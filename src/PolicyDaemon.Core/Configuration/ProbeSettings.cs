using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Core.Configuration;

/// <summary>The <c>[probe]</c> section of policydaemon.conf(5).</summary>
public sealed record ProbeSettings
{
    /// <summary>The daemon probes; commands that probe work either way.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The resolvers to ask, in this order; empty: the system's.</summary>
    public required ImmutableArray<IPEndPoint> Resolvers { get; init; }

    /// <summary>The resolvers' AD bit counts, after a self-test.</summary>
    public required bool ResolverTrusted { get; init; }

    /// <summary>A name that must come back secure; null: a well-known one.</summary>
    public required string? DnssecTestSecure { get; init; }

    /// <summary>A name that must come back bogus; null: a well-known one.</summary>
    public required string? DnssecTestBogus { get; init; }

    /// <summary>True where the half of the resolver's self-test that asks for a bogus name is skipped (<c>dnssec_test_bogus = none</c>).</summary>
    public required bool SkipsBogusTest { get; init; }

    /// <summary>A PEM file with the trust anchors, an absolute path; its text is empty for the system's.</summary>
    public required ConfiguredValue CaFile { get; init; }

    /// <summary>Probe loopback, private and link-local addresses.</summary>
    public required bool PrivateAddresses { get; init; }

    /// <summary>The name in EHLO; null: the host's.</summary>
    public required string? HeloName { get; init; }

    /// <summary>The IPv4 address that probes come from; null: the system chooses.</summary>
    public required IPAddress? BindAddress { get; init; }

    /// <summary>The IPv6 address that probes come from; null: the system chooses.</summary>
    public required IPAddress? BindAddress6 { get; init; }

    public required TimeSpan Interval { get; init; }

    public required TimeSpan RenewalInterval { get; init; }

    public required TimeSpan CandidateInterval { get; init; }

    public required TimeSpan BackOff { get; init; }

    public required TimeSpan LookupStaleness { get; init; }

    public required TimeSpan AddressSpacing { get; init; }

    public required TimeSpan ProviderSpacing { get; init; }

    public required int MaxConnections { get; init; }

    public required int MaxDestinations { get; init; }

    public required int ProbesPerSecond { get; init; }

    public required TimeSpan DnsTimeout { get; init; }

    public required TimeSpan ConnectTimeout { get; init; }

    public required TimeSpan ReplyTimeout { get; init; }

    public required TimeSpan HandshakeTimeout { get; init; }

    /// <summary>The times of the pin life cycle.</summary>
    public required RotationOptions Rotation { get; init; }

    public required AlertSettings Alerts { get; init; }
}

/// <summary>How findings reach a person, beside the journal; the <c>alert_</c> keys of policydaemon.conf(5), <c>[probe]</c>.</summary>
public sealed record AlertSettings
{
    /// <summary>A program, an absolute path, and its arguments; empty: none.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>How long the command, or one attempt at the webhook, may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Where systemd runs the command outside the daemon's sandbox, the path of a unix socket; empty: the daemon runs it.</summary>
    public required string Socket { get; init; }

    /// <summary>Where JSON is posted; null: nowhere.</summary>
    public required Uri? Webhook { get; init; }

    /// <summary>How long after it was first seen an open finding is said again; ascending.</summary>
    public required ImmutableArray<TimeSpan> Escalation { get; init; }

    /// <summary>True where findings go anywhere beside the journal.</summary>
    public bool HasChannel => !Command.IsEmpty || Webhook is not null;
}
