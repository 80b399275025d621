using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What one look at a destination came to, as the ledger keeps it.</summary>
public sealed record ProbeResult
{
    public required NextHop Key { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The lookup, failed or not. Only one that worked replaces what is remembered.</summary>
    public required MxResolution Resolution { get; init; }

    /// <summary>All targets to remember from now on.</summary>
    public required ImmutableArray<MxTarget> Targets { get; init; }

    public required DateTimeOffset? SecureSince { get; init; }

    public required bool WasSecure { get; init; }

    public required ImmutableSortedSet<string>? TrustedHosts { get; init; }

    public required RotationResult Result { get; init; }

    /// <summary>When it is due again.</summary>
    public required DateTimeOffset NextDue { get; init; }
}
