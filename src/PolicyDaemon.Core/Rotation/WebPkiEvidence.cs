using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>
/// Evidence B: a WebPKI chain valid for the MX name, the MX name authenticated, in several consistent probes over the hold-down.
/// </summary>
/// <remarks>Consistent: every probe of the run found it so, and every address of the host that can be reached shows the same key.
/// One address of two with another certificate is what an attacker near that address looks like.</remarks>
internal static class WebPkiEvidence
{
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
                    + $"{Over(slot.Latest)}, with a trusted chain for its authenticated name";
            }
        }

        return null;
    }

    private static bool Proves(CertificateSlot slot, Pin candidate, RotationView view)
    {
        var run = slot.Latest;
        return slot.Certificate.Matches(candidate.Fingerprint)
            && slot.Certificate.Covers(slot.Address.MxHost)
            && run.TrustedProbes >= view.Options.HoldDownProbes
            && run.Last - run.TrustedSince >= view.Options.HoldDown
            && NameIsAuthenticated(view.Input.Mx, run.Last - view.Options.HoldDown);
    }

    private static string Over(CertificateRun run)
    {
        var over = run.Last - run.TrustedSince ?? TimeSpan.Zero;
        return (over.TotalHours < 2 ? over : TimeSpan.FromHours((long)over.TotalHours)).ToLongText();
    }

    private static bool NameIsAuthenticated(MxHistory mx, DateTimeOffset since) =>
        mx.HostIsGiven || (mx.IsSecure && mx.SecureSince <= since);
}
