using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>All that <see cref="PinRotation"/> looks at.</summary>
public sealed record RotationInput
{
    /// <summary>The key of the entry whose pins these are: the subject of the findings, and in their commands.</summary>
    public required string Entry { get; init; }

    public required PinMode Mode { get; init; }

    public required ImmutableArray<Pin> Pins { get; init; }

    /// <summary>The digest Postfix compares in; new pins are made in it.</summary>
    public required DigestAlgorithm Digest { get; init; }

    /// <summary>Every known address of the MX set, in any order.</summary>
    public required ImmutableArray<AddressState> Addresses { get; init; }

    public required MxHistory Mx { get; init; }

    public Brake Brake { get; init; }

    public RotationOptions Options { get; init; } = RotationOptions.Default;

    public required DateTimeOffset Now { get; init; }
}
