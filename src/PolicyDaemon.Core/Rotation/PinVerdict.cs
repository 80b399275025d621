using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The verdict: what would happen to mail with the pins as they are served.</summary>
internal static class PinVerdict
{
    public static DestinationVerdict Of(RotationView view)
    {
        if (!view.Pins.Served.Any())
            return DestinationVerdict.Unknown;

        var (accepted, partly, refused, attempted) = (0, 0, 0, 0);
        foreach (var address in view.Addresses.Where(address => address.Listed && address.History.LastAttempt is not null))
        {
            attempted++;
            if (address.History.LastOutcome is ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed
                or ProbeOutcome.PlaintextInjected or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous)
            {
                refused++;
                continue;
            }

            var seen = view.Current.Where(slot => ReferenceEquals(slot.Address, address)).ToList();
            var good = seen.Count(slot => view.Pins.Accepts(slot.Certificate));
            if (seen.Count == 0)
                continue;
            if (good == seen.Count)
                accepted++;
            else if (good > 0)
                partly++;
            else
                refused++;
        }

        if (accepted + partly > 0)
            return partly + refused > 0 ? DestinationVerdict.Degraded : DestinationVerdict.Ok;
        if (refused > 0)
            return DestinationVerdict.Mismatch;
        return attempted > 0 ? DestinationVerdict.Unreachable : DestinationVerdict.Unknown;
    }
}
