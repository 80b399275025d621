using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Observations;

/// <summary>Where the mail of a next-hop destination goes, according to DNS at one time.</summary>
public sealed record MxResolution
{
    public required NextHop NextHop { get; init; }

    public required DateTimeOffset At { get; init; }

    public required int Port { get; init; }

    /// <summary><see cref="ProbeOutcome.Secured"/> where the lookups worked; otherwise no-mx, null-mx, dns-failure, dnssec-invalid.</summary>
    public required ProbeOutcome Outcome { get; init; }

    /// <summary>What went wrong, for people.</summary>
    public string? Detail { get; init; }

    /// <summary>By preference, then by name.</summary>
    public ImmutableArray<MxHost> Hosts { get; init; } = [];

    /// <summary>Of the MX records, or of their absence where the domain's own address is used (implicit MX).</summary>
    public DnssecStatus MxDnssec { get; init; }

    /// <summary>True for <c>[host]</c> and an IP literal: an administrator named the host, DNS did not.</summary>
    public bool HostIsGiven { get; init; }

    /// <summary>No MX records; the domain's own addresses are used (RFC 5321 section 5.1).</summary>
    public bool IsImplicit { get; init; }

    /// <summary>True where the answer says where mail goes: only then does it replace what was known.</summary>
    public bool Worked => Outcome == ProbeOutcome.Secured;
}
