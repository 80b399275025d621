using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>Says where a key is weaker than those that are trusted now.</summary>
internal static class KeyStrength
{
    private const int Acceptable = 112; // NIST SP 800-57 part 1: nothing below is acceptable since 2014

    internal static IEnumerable<string> Weaker(Destination before, Fingerprint wanted, ProbeState? known)
    {
        if (known is null || known.PresentationsOf(wanted) is not [var seen, ..] || before.Pins.Any(pin => pin.IsServed && pin.Fingerprint == wanted))
            yield break;
        var trusted = before.Pins.Where(pin => pin.IsServed)
            .SelectMany(pin => known.PresentationsOf(pin.Fingerprint))
            .Select(presentation => presentation.Certificate.StrengthBits)
            .DefaultIfEmpty()
            .Min();
        var bits = seen.Certificate.StrengthBits;
        if (bits < trusted)
            yield return FormattableString.Invariant($"the key {wanted.Hex} has a strength of {bits} bits, the weakest that is trusted now {trusted}");
        else if (bits < Acceptable)
            yield return FormattableString.Invariant($"the key {wanted.Hex} has a strength of {bits} bits, less than {Acceptable}");
    }
}
