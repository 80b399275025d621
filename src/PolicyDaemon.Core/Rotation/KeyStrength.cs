using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Whether a key is strong enough to be followed: acceptable by itself, and no weaker than those that are trusted.</summary>
public static class KeyStrength
{
    /// <summary>Bits of security that a key must have: NIST SP 800-57 part 1 accepts nothing below since 2014.</summary>
    public const int Acceptable = 112;

    public static bool IsAcceptable(ServerCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.StrengthBits >= Acceptable;
    }

    /// <summary>How a key that would be trusted is weaker than the pins that are served, a sentence; null where it is not, or was never seen.</summary>
    /// <param name="state">What the prober has seen of the destination; null before its first probe.</param>
    public static string? Weakness(Fingerprint wanted, IReadOnlyCollection<Pin> pins, ProbeState? state)
    {
        ArgumentNullException.ThrowIfNull(pins);
        if (state?.PresentationsOf(wanted) is not [var presented, ..] || pins.Any(pin => pin.IsServed && pin.Fingerprint == wanted))
            return null;
        var trusted = pins.Where(pin => pin.IsServed)
            .SelectMany(pin => state.PresentationsOf(pin.Fingerprint))
            .Select(presentation => presentation.Certificate.StrengthBits)
            .DefaultIfEmpty()
            .Min();
        return IsWeak(presented.Certificate, trusted, "the weakest that is trusted now", out var than) ? $"the key {wanted.Hex} {than}" : null;
    }

    /// <summary>The one comparison: weaker than what is trusted, or than is acceptable.</summary>
    /// <param name="trusted">The bits of the key that it would follow; 0 where there is none.</param>
    /// <param name="which">What that key is called.</param>
    /// <param name="sentence">"has a strength of ...", whether it is weak or not.</param>
    internal static bool IsWeak(ServerCertificate certificate, int trusted, string which, out string sentence)
    {
        var bits = certificate.StrengthBits;
        sentence = $"has a strength of {bits} bits, {(bits < trusted ? $"{which} {trusted}" : $"less than {Acceptable}")}";
        return bits < trusted || bits < Acceptable;
    }
}
