using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What <see cref="PinRotation"/> proposes. Equal inputs give equal results, in equal order.</summary>
/// <param name="Transitions">To be applied together, in this order.</param>
/// <param name="Findings">Everything that holds now; what was found before and is not among them has settled.</param>
/// <param name="Verdict">What would happen to mail with the pins as they were.</param>
/// <param name="NewKeySeen">A key was seen that no pin knew: others are probed, too, so that the brake can see whether it is everywhere.</param>
/// <param name="SeesServedPin">A served pin was seen; the MX set is the trusted one from now on.</param>
/// <param name="ReconsiderAt">When waiting alone would change the result; null where it would not.</param>
public sealed record RotationResult(
    ImmutableArray<PinTransition> Transitions, ImmutableArray<Finding> Findings, DestinationVerdict Verdict, bool NewKeySeen,
    bool SeesServedPin, DateTimeOffset? ReconsiderAt)
{
    /// <summary>For the brake: MX hosts that show a new key, again at every probe until it is old.</summary>
    public ImmutableArray<HostWithNewKey> NewKeys { get; init; } = [];
}
