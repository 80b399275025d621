using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The result of one probe of a destination, as the ledger stores it.</summary>
public sealed record ProbeResult
{
    public required NextHop Key { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The lookup of the MX hosts, failed or not; only one that worked replaces the stored one.</summary>
    public required MxResolution Resolution { get; init; }

    /// <summary>Every target of the destination from now on, current or earlier.</summary>
    public required ImmutableArray<MxTarget> Targets { get; init; }

    /// <summary>As in <see cref="DestinationState.SecureSince"/>, after this probe; likewise the two below.</summary>
    public required DateTimeOffset? SecureSince { get; init; }

    public required bool WasSecure { get; init; }

    public required ImmutableSortedSet<string>? TrustedHosts { get; init; }

    public required RotationResult Result { get; init; }

    /// <summary>Kinds of findings about which this probe says nothing: open ones stay as they are, and none is opened.</summary>
    public ImmutableHashSet<FindingKind> Undecided { get; init; } = [];

    /// <summary>When the next probe is due.</summary>
    public required DateTimeOffset NextDue { get; init; }
}
