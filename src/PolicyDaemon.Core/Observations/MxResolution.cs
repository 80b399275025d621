using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Observations;

/// <summary>Where the mail of a next-hop destination goes, according to DNS at one time.</summary>
public sealed record MxResolution
{
    public required NextHop NextHop { get; init; }

    public required DateTimeOffset At { get; init; }

    public required int Port { get; init; }

    /// <summary>How the lookups ended.</summary>
    public required DnsOutcome Outcome { get; init; }

    /// <summary>The fault of the lookup, for people.</summary>
    public string? Detail { get; init; }

    /// <summary>How resolvers failed at the lookups that failed, each once; empty where none did, and of a resolution that was stored.</summary>
    public ImmutableArray<ResolverFailure> Failures { get; init; } = [];

    /// <summary>The MX hosts, by preference, then by name.</summary>
    public ImmutableArray<MxHost> Hosts { get; init; } = [];

    /// <summary>The DNSSEC status of the MX records, or of their absence where the domain's own address is used (implicit MX).</summary>
    public DnssecStatus MxDnssec { get; init; }

    /// <summary>The destination's name at the end of its aliases, where it is one; otherwise null.</summary>
    public string? CanonicalName { get; init; }

    /// <summary>True for <c>[host]</c> and an IP literal: an administrator named the host, DNS did not.</summary>
    public bool HostIsGiven { get; init; }

    /// <summary>No MX records; the domain's own addresses are used (RFC 5321 section 5.1).</summary>
    public bool IsImplicit { get; init; }

    /// <summary>True where the answer says where mail goes: only then does it replace what was known.</summary>
    public bool Worked => Outcome == DnsOutcome.Found;
}

/// <summary>One MX host of a destination, with what DNS says of it.</summary>
public sealed record MxHost
{
    /// <summary>The name in the MX record, lower case without the final dot; an IP address for a literal next hop.</summary>
    public required string Name { get; init; }

    /// <summary>The preference in the MX record; 0 where there was none.</summary>
    public int Preference { get; init; }

    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>The name at the end of the aliases, where <see cref="Name"/> is one (RFC 2181 section 10.3 forbids it, Postfix follows); otherwise null.</summary>
    public string? CanonicalName { get; init; }

    /// <summary>The DNSSEC status of the address records that were found; of two families the better, as TLSA records count where one of them is secure.</summary>
    public DnssecStatus AddressDnssec { get; init; }

    /// <summary>How looking up the addresses ended: <see cref="DnsOutcome.Found"/> where it worked for both families.</summary>
    public DnsOutcome AddressOutcome { get; init; }

    /// <summary>The name under which the TLSA records were found or sought (RFC 7672 section 2.2.3).</summary>
    public string? TlsaBase { get; init; }

    public ImmutableArray<TlsaRecord> Tlsa { get; init; } = [];

    /// <summary>The DNSSEC status of the TLSA answer, also of one that there are no records.</summary>
    public DnssecStatus TlsaDnssec { get; init; }

    /// <summary>True where the TLSA lookup failed: then it is not known whether there are records.</summary>
    public bool TlsaFailed { get; init; }

    /// <summary>Which of these lookups failed and how, for people; null where they all worked.</summary>
    public string? Detail { get; init; }
}

/// <summary>Finds where the mail of a destination goes.</summary>
public interface IMxResolver
{
    /// <summary>A failure is a <see cref="MxResolution.Outcome"/>; only the caller's cancellation throws.</summary>
    /// <param name="probeAs">Hosts to probe for a leading-dot key.</param>
    Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation);

    /// <summary>Tests a resolver that is marked trusted again, now, whenever it was tested last: before something is to be served because it
    /// called it secure.</summary>
    /// <returns>True where it passes, and so what it calls secure counts.</returns>
    Task<bool> RetestAsync(CancellationToken cancellation);

    /// <summary>The fault of the resolver that is marked trusted; null where it has none, or none is marked.</summary>
    string? Trouble { get; }

    /// <summary>The part that the resolver's self-test left out; null where it tested everything.</summary>
    string? Untested { get; }

    /// <summary>Drops expired entries of the shared DNS cache.</summary>
    void Sweep();
}
