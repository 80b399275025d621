using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Evidence A: MX, address and TLSA records DNSSEC-secure from a trusted resolver, and a usable record matches.</summary>
internal static class DaneEvidence
{
    /// <summary>The reason to trust this candidate; null where there is none.</summary>
    public static string? For(Pin candidate, RotationView view)
    {
        if (!view.Input.Mx.IsSecure && !view.Input.Mx.HostIsGiven)
            return null;
        foreach (var slot in view.Current)
        {
            if (slot.Dane != DaneVerdict.Match)
                continue;
            if (slot.Certificate.Matches(candidate.Fingerprint))
                return $"{slot.Address.MxHost} [{slot.Address.History.Target.Address}] presents it, and a DNSSEC-secure TLSA record matches";
            if (view.Pins.Accepts(slot.Certificate) && Announces(slot, candidate, view))
                return $"a DNSSEC-secure TLSA record of {slot.Address.MxHost} announces it beside the one in use";
        }

        return null;
    }

    /// <summary>True where the brake has had time to see what else changed (section 5: the end of the round, or 15 minutes).</summary>
    public static bool HasWaited(Pin candidate, RotationView view) => view.Input.Brake.HasWaited(candidate.Since, view.Now);

    private static bool Announces(CertificateSlot slot, Pin candidate, RotationView view) =>
        slot.Address.SecureTlsa.Any(record =>
            record.TryFingerprint(view.Input.Digest, out var announced, out _) && announced == candidate.Fingerprint);
}
