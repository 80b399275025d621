using System.Collections.Immutable;
using System.Net;

namespace PolicyDaemon.Core.Observations;

/// <summary>One MX host of a destination, with what DNS says of it.</summary>
public sealed record MxHost
{
    /// <summary>The name in the MX record, lower case without the final dot; an IP address for a literal next hop.</summary>
    public required string Name { get; init; }

    /// <summary>0 where there was no MX record to take it from.</summary>
    public int Preference { get; init; }

    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>The name at the end of the aliases, where <see cref="Name"/> is one (RFC 2181 section 10.3 forbids it, Postfix follows); otherwise null.</summary>
    public string? CanonicalName { get; init; }

    /// <summary>Of the address records that were found; of two families the better, as TLSA records count where one of them is secure.</summary>
    public DnssecStatus AddressDnssec { get; init; }

    /// <summary>How looking up the addresses ended: <see cref="ProbeOutcome.Secured"/> where it worked for both families.</summary>
    public ProbeOutcome AddressOutcome { get; init; }

    /// <summary>The name under which the TLSA records were found or sought (RFC 7672 section 2.2.3).</summary>
    public string? TlsaBase { get; init; }

    public ImmutableArray<TlsaRecord> Tlsa { get; init; } = [];

    /// <summary>Of the TLSA answer, its absence included.</summary>
    public DnssecStatus TlsaDnssec { get; init; }

    /// <summary>True where the TLSA lookup failed: then it is not known whether there are records.</summary>
    public bool TlsaFailed { get; init; }

    /// <summary>Which of these lookups failed and how, for people; null where they all worked.</summary>
    public string? Detail { get; init; }
}
