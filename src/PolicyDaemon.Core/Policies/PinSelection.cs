using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>Which pins of a destination stand in its answer, and why the others do not.</summary>
/// <param name="Served">The pins in the answer, in the order they were added, each fingerprint once.</param>
/// <param name="LeftOut">The others, each with the reason.</param>
public sealed record PinSelection(ImmutableArray<Pin> Served, ImmutableArray<(Pin Pin, string Why)> LeftOut)
{
    /// <summary>Chooses the standby, active and retiring pins in the digest that Postfix compares.</summary>
    public static PinSelection Of(Destination destination, PostfixSettings postfix)
    {
        var served = ImmutableArray.CreateBuilder<Pin>(destination.Pins.Length);
        var leftOut = ImmutableArray.CreateBuilder<(Pin, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pin in destination.Pins)
        {
            if (!pin.IsServed)
                leftOut.Add((pin, pin.State == PinState.Candidate ? "a candidate, which nobody has approved" : $"it is {pin.State.Name()}"));
            else if (!IsCompared(pin, postfix))
                leftOut.Add((pin, $"it is a {pin.Fingerprint.Algorithm.Name()} digest and Postfix compares {postfix.FingerprintDigest.Name()}"));
            else if (seen.Add(pin.Fingerprint.Hex))
                served.Add(pin);
            else
                leftOut.Add((pin, "the same fingerprint is served already"));
        }

        return new PinSelection(served.ToImmutable(), leftOut.ToImmutable());
    }

    /// <summary>The digits of <see cref="Served"/> and nothing more; a large store makes each of its answers from them.</summary>
    internal static IEnumerable<string> ServedHex(Destination destination, PostfixSettings postfix)
    {
        var served = destination.Pins.Where(pin => pin.IsServed && IsCompared(pin, postfix)).Select(pin => pin.Fingerprint.Hex);
        return destination.Pins.Length > 1 ? served.Distinct(StringComparer.Ordinal) : served;
    }

    private static bool IsCompared(Pin pin, PostfixSettings postfix) => pin.Fingerprint.Algorithm == postfix.FingerprintDigest;
}
