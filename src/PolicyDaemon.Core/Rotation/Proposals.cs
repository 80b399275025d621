using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Rules that only propose: what they add is never served.</summary>
internal static class Proposals
{
    /// <summary>A key that no pin knows becomes a candidate. One that a person rejected or revoked never does.</summary>
    /// <returns>True where such a key was seen.</returns>
    public static bool FirstSeen(RotationView view)
    {
        var seen = false;
        foreach (var algorithm in view.Current)
        {
            var certificate = algorithm.Certificate;
            if (view.Pins.Accepts(certificate) || view.Pins.Refuses(certificate))
                continue;
            seen |= Propose(view, certificate, algorithm);
        }

        return seen;
    }

    /// <summary>Beside a pin of a whole certificate, its public key: it survives the next renewal with the same key.</summary>
    public static void KeyBesideCertificate(RotationView view)
    {
        foreach (var algorithm in view.Current)
        {
            var key = algorithm.Certificate.Digest(PinSubject.PublicKey, view.Input.Digest);
            if (!view.Pins.Accepts(algorithm.Certificate) || view.Pins.Refuses(algorithm.Certificate) || view.Pins.Find(key) is not null
                || !view.Pins.HasRoomForCandidate)
                continue;
            view.Pins.Add(
                key, PinSubject.PublicKey, PinState.Candidate, null, RotationRule.KeyBesideCertificate,
                $"the public key of the pinned certificate at {algorithm.Address.MxHost}; it stays valid when the certificate is renewed with the same key");
        }
    }

    /// <summary>A key that the zone announces beside the one in use: a candidate that evidence A may make standby.</summary>
    public static void Announced(RotationView view)
    {
        foreach (var algorithm in view.Current.Where(algorithm => algorithm.Dane == DaneVerdict.Match && view.Pins.Accepts(algorithm.Certificate)))
        {
            foreach (var record in algorithm.Address.SecureTlsa.OrderBy(record => record.ToString(), StringComparer.Ordinal))
            {
                if (record.TryFingerprint(view.Input.Digest, out var pin, out var subject)
                    && !view.Current.Any(other => other.Certificate.Matches(pin))
                    && view.Pins.Find(pin) is null && view.Pins.HasRoomForCandidate)
                {
                    view.Pins.Add(
                        pin, subject, PinState.Candidate, null, RotationRule.Announced,
                        $"announced in the TLSA records of {algorithm.Address.MxHost}, beside the one in use");
                }
            }
        }
    }

    private static bool Propose(RotationView view, ServerCertificate certificate, AddressAlgorithm algorithm)
    {
        var key = certificate.Digest(PinSubject.PublicKey, view.Input.Digest);
        switch (view.Pins.Find(key))
        {
            case null when view.Pins.All.Any(pin => pin.State == PinState.Candidate && certificate.Matches(pin.Fingerprint)):
                return false;
            case null:
                // What is presented now always has room: or a stranger who shows many keys could keep the right one out.
                MakeRoom(view);
                view.Pins.Add(
                    key, PinSubject.PublicKey, PinState.Candidate, null, RotationRule.FirstSeen,
                    $"presented by {algorithm.Address.MxHost} [{algorithm.Address.History.Target.Address}]{KeyRecord.Of(certificate, view)}");
                return true;
            case { State: PinState.Retired } retired when view.Input.Mode != PinMode.Locked:
                view.Pins.Move(
                    retired, PinState.Candidate, retired.Strength, RotationRule.FirstSeen,
                    $"presented again by {algorithm.Address.MxHost} [{algorithm.Address.History.Target.Address}]{KeyRecord.Of(certificate, view)}");
                return true;
            default:
                return false;
        }
    }

    /// <summary>Where as many candidates wait as are kept, the oldest that no server presents and no zone announces any more goes.</summary>
    internal static void MakeRoom(RotationView view)
    {
        if (view.Pins.HasRoomForCandidate)
            return;
        var oldest = view.Pins.In(PinState.Candidate)
            .Where(pin => !IsPresented(pin, view) && !view.Addresses.Any(address => Evidence.Announces(address, pin, view)))
            .OrderBy(pin => pin.Since).ThenBy(pin => pin.Fingerprint.Hex, StringComparer.Ordinal)
            .FirstOrDefault();
        const string Why = "not presented any more, and as many keys wait for a decision as are kept";
        if (oldest is { Strength: null })
            view.Pins.Forget(oldest, RotationRule.MadeWay, Why);
        else if (oldest is not null && view.Input.Mode != PinMode.Locked)
            view.Pins.Move(oldest, PinState.Retired, oldest.Strength, RotationRule.MadeWay, Why);
    }

    private static bool IsPresented(Pin pin, RotationView view) =>
        view.Algorithms.Any(algorithm => algorithm.Address.Listed && algorithm.Latest.Certificate?.Matches(pin.Fingerprint) == true);
}
