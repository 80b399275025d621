using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A destination's MX records, now and before.</summary>
public sealed record MxHistory
{
    /// <summary>The MX hosts of the last lookup that worked.</summary>
    public ImmutableSortedSet<string> Hosts { get; init; } = ImmutableSortedSet<string>.Empty;

    /// <summary>The MX hosts when a served pin was last seen; null where none has been.</summary>
    public ImmutableSortedSet<string>? TrustedHosts { get; init; }

    /// <summary>The DNSSEC status of the MX records in the last lookup. <see cref="DnssecStatus.Unknown"/> unless the resolver is trusted and its self-test fresh.</summary>
    public DnssecStatus Dnssec { get; init; }

    /// <summary>True where the MX records have been secure at some time.</summary>
    public bool WasSecure { get; init; }

    /// <summary>Since when the MX records have been secure in every lookup that worked.</summary>
    public DateTimeOffset? SecureSince { get; init; }

    /// <summary>True where the administrator named the host (a bracketed next hop), so that its name needs no DNSSEC.</summary>
    public bool HostIsGiven { get; init; }

    /// <summary>True where the last lookup worked; where it did not, no pin changes.</summary>
    public bool IsCurrent { get; init; } = true;
}
