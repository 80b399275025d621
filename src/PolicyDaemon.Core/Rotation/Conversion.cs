using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A pin known only in another digest is carried over when a probe sees the certificate or key that it names.</summary>
/// <remarks>The same key was approved, so nothing new is trusted. SHA-1 resists a second preimage, which is all that counts here,
/// and converts by itself except in mode <c>locked</c>; MD5 is a person's, always.</remarks>
internal static class Conversion
{
    public static void Apply(RotationView view)
    {
        foreach (var slot in view.Current)
        {
            foreach (var pin in view.Pins.All)
            {
                if (!pin.IsServed || pin.Fingerprint.Algorithm == view.Input.Digest
                    || !slot.Certificate.Matches(pin.Fingerprint, out var subject) || view.Pins.Rejects(slot.Certificate))
                    continue;
                Convert(view, slot, pin, subject);
            }
        }
    }

    private static void Convert(RotationView view, CertificateSlot slot, Pin pin, PinSubject subject)
    {
        var converted = slot.Certificate.Digest(subject, view.Input.Digest);
        if (view.Pins.Find(converted) is not null)
            return;
        var was = $"{pin.Fingerprint.Algorithm.Name()} pin {pin.Fingerprint.Hex} names what {slot.Address.MxHost} presents";
        var byItself = pin.Fingerprint.Algorithm != DigestAlgorithm.Md5 && view.Input.Mode != PinMode.Locked;
        if (byItself && view.Pins.HasRoomForServed)
        {
            var state = pin.State == PinState.Retiring ? PinState.Retiring : PinState.Active;
            view.Pins.Add(converted, subject, state, pin.Strength, RotationRule.Converted, was);
            view.Pins.Move(
                pin, PinState.Retired, pin.Strength, RotationRule.Converted, $"carried over to {view.Input.Digest.Name()} pin {converted}");
        }
        else if (view.Pins.HasRoomForCandidate)
            view.Pins.Add(converted, subject, PinState.Candidate, PinStrength.Tofu, RotationRule.Converted, was);
    }
}
