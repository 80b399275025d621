namespace PolicyDaemon.Core.Pins.Rotation;

/// <summary>
/// Evidence B: a WebPKI chain valid for the MX name, the MX name authenticated, in at least 3 consistent probes over 24 hours.
/// </summary>
/// <remarks>Consistent: every probe of the run found it so, and every address of the host that can be reached shows the same key.
/// One address of two with another certificate is what an attacker near that address looks like.</remarks>
internal static class WebPkiEvidence
{
    public static readonly TimeSpan HoldDown = TimeSpan.FromHours(24);

    public const int Probes = 3;

    /// <summary>The reason to trust this candidate; null where there is none, or not yet.</summary>
    public static string? For(Pin candidate, RotationView view)
    {
        foreach (var slot in view.Current)
        {
            var sameHost = view.Current.Where(other =>
                other.Address.MxHost == slot.Address.MxHost && other.Algorithm == slot.Algorithm);
            if (slot.Certificate.Matches(candidate.Fingerprint) && sameHost.All(other => Proves(other, candidate, view)))
            {
                return $"{slot.Address.MxHost} presented it in {slot.Latest.TrustedProbes} probes over "
                    + $"{(slot.Latest.Last - slot.Latest.TrustedSince)?.TotalHours:F0} hours, with a trusted chain for its authenticated name";
            }
        }

        return null;
    }

    private static bool Proves(Slot slot, Pin candidate, RotationView view)
    {
        var run = slot.Latest;
        return slot.Certificate.Matches(candidate.Fingerprint)
            && slot.Certificate.Covers(slot.Address.MxHost)
            && run.TrustedProbes >= Probes
            && run.Last - run.TrustedSince >= HoldDown
            && NameIsAuthenticated(view.Input.Mx, run.Last - HoldDown);
    }

    private static bool NameIsAuthenticated(MxStanding mx, DateTimeOffset since) =>
        mx.HostIsGiven || (mx.IsSecure && mx.SecureSince <= since);
}
