using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A proposed change of one pin. The ledger applies it only while the pin is still in <paramref name="From"/>.</summary>
/// <param name="Fingerprint">The pin.</param>
/// <param name="Subject">What it is a digest of.</param>
/// <param name="From">Null for a pin that is new.</param>
/// <param name="To">Its next state.</param>
/// <param name="Strength">Its strength afterwards, and for ever.</param>
/// <param name="Rule">Which rule of the life cycle; the audit log names it.</param>
/// <param name="Reason">Why, in a sentence for people.</param>
public sealed record PinTransition(
    Fingerprint Fingerprint, PinSubject Subject, PinState? From, PinState To, PinStrength Strength, RotationRule Rule, string Reason);
