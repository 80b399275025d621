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

    /// <summary>How a key that would be trusted is weaker than those that are, a sentence; null where it is not, was never seen, or is one of these
    /// in another digest or as a whole certificate.</summary>
    /// <param name="served">The pins that are served.</param>
    /// <param name="state">What the prober has seen of the destination; null before its first probe.</param>
    internal static string? Weakness(Fingerprint wanted, IReadOnlyCollection<Pin> served, ProbeState? state)
    {
        if (state?.PresentationsOf(wanted) is not [var presented, ..] presentations
            || served.Any(pin => presentations.Any(place => place.Certificate.Matches(pin.Fingerprint))))
            return null;
        var trusted = served
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
