using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Carries pins over to the digest that Postfix compares, where a server presents the certificate or key that they name.</summary>
/// <remarks>
/// <para>Whoever presents what a digest was taken of proves what was pinned, wherever it is presented: the same key was approved, so
/// nothing new is trusted. SHA-1 resists a second preimage, which is all that counts here, and is proof by itself; for MD5 a
/// person decides, always. In mode <c>locked</c> nothing is carried over by the rules.</para>
/// <para>The carried pin keeps its strength, the other one is kept for the record as retired.</para>
/// </remarks>
public static class PinConversion
{
    /// <summary>True for a served pin that Postfix cannot compare.</summary>
    public static bool NeedsConversion(this Pin pin, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return pin.IsServed && pin.Fingerprint.Algorithm != digest;
    }

    /// <summary>True where the pin's digest proves by itself what it was taken of.</summary>
    public static bool IsProof(this Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return pin.Fingerprint.Algorithm != DigestAlgorithm.Md5;
    }

    /// <summary>The pin in another digest; null where the certificate is not what it names.</summary>
    public static Pin? Convert(this Pin pin, ServerCertificate certificate, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(pin);
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.Matches(pin.Fingerprint, out var subject)
            ? pin with
            {
                Fingerprint = certificate.Digest(subject, digest),
                Subject = subject,
                State = pin.State == PinState.Retiring ? PinState.Retiring : PinState.Active,
            }
            : null;
    }

    /// <summary>The pins with those retired that a served pin in the right digest has made needless, since both name one of these certificates.</summary>
    public static ImmutableArray<Pin> RetireConverted(
        this ImmutableArray<Pin> pins, IReadOnlyCollection<ServerCertificate> certificates, DigestAlgorithm digest, DateTimeOffset at)
    {
        foreach (var pin in pins.Where(pin => pin.NeedsConversion(digest) && certificates.Any(certificate => certificate.Matches(pin.Fingerprint))))
            pins = pins.Retire(pin.Fingerprint, at);
        return pins;
    }

    internal static void Apply(RotationView view)
    {
        foreach (var algorithm in view.Current)
        {
            foreach (var pin in view.Pins.All.Where(pin => pin.NeedsConversion(view.Input.Digest)))
            {
                if (!view.Pins.Refuses(algorithm.Certificate) && pin.Convert(algorithm.Certificate, view.Input.Digest) is { } converted
                    && view.Pins.Find(converted.Fingerprint) is null)
                    Add(view, algorithm, pin, converted);
            }
        }
    }

    private static void Add(RotationView view, AddressAlgorithm algorithm, Pin pin, Pin converted)
    {
        var was = $"{pin.Fingerprint.Algorithm.Name()} pin {pin.Fingerprint.Hex} names what {algorithm.Address.MxHost} presents";
        if (pin.IsProof() && view.Input.Mode != PinMode.Locked && view.Pins.HasRoomForServed)
        {
            view.Pins.Add(converted.Fingerprint, converted.Subject, converted.State, pin.Strength, RotationRule.Converted, was);
            view.Pins.Move(
                pin, PinState.Retired, pin.Strength, RotationRule.Converted,
                $"carried over to {view.Input.Digest.Name()} pin {converted.Fingerprint}");
        }
        else
        {
            Proposals.MakeRoom(view);
            view.Pins.Add(converted.Fingerprint, converted.Subject, PinState.Candidate, null, RotationRule.Converted, was);
        }
    }
}
