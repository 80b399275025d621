using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What always takes a person, whatever the mode. While one of these holds for a destination, none of its pins changes by itself.</summary>
internal static class Holds
{
    public static ImmutableArray<RotationFinding> Of(RotationView view)
    {
        var holds = ImmutableArray.CreateBuilder<RotationFinding>();
        StartTlsGone(view, holds);
        PlaintextInjected(view, holds);
        TlsaMismatch(view, holds);
        DnssecLost(view, holds);
        MxSetReplaced(view, holds);
        return holds.ToImmutable();
    }

    private static void StartTlsGone(RotationView view, ImmutableArray<RotationFinding>.Builder holds)
    {
        var lost = view.Addresses.Where(address => address.Listed && address.History.LostStartTls).ToList();
        if (lost.Count > 0)
        {
            holds.Add(Finding(
                view, FindingKind.StartTlsGone, ProbeOutcome.StartTlsNotSupported, [],
                $"{Names(lost)} offered STARTTLS before and does not now; mail would wait, and nothing changes by itself",
                $"policyctl check {view.Input.Owner}"));
        }
    }

    private static void PlaintextInjected(RotationView view, ImmutableArray<RotationFinding>.Builder holds)
    {
        var injected = view.Addresses
            .Where(address => address.Listed && address.History is { LastAttempt: not null, LastOutcome: ProbeOutcome.PlaintextInjected })
            .ToList();
        if (injected.Count > 0)
        {
            holds.Add(Finding(
                view, FindingKind.PlaintextInjected, ProbeOutcome.PlaintextInjected, [],
                $"{Names(injected)}: octets in the clear behind the reply to STARTTLS; someone writes into the connection, or the server is broken",
                $"policyctl check {view.Input.Owner}"));
        }
    }

    private static void TlsaMismatch(RotationView view, ImmutableArray<RotationFinding>.Builder holds)
    {
        var mismatching = view.Current.Where(slot => slot.Dane == DaneVerdict.Mismatch).ToList();
        if (mismatching.Count > 0)
        {
            holds.Add(Finding(
                view, FindingKind.TlsaMismatch, ProbeOutcome.TlsaMismatch, mismatching,
                "a secure TLSA record exists and does not match what is presented: the server changed before its zone did, or it is another server",
                $"policyctl check {view.Input.Owner}"));
        }
    }

    private static void DnssecLost(RotationView view, ImmutableArray<RotationFinding>.Builder holds)
    {
        if (view.Input.Mx.WasSecure && view.Input.Mx.Dnssec is DnssecStatus.Insecure or DnssecStatus.Bogus)
        {
            holds.Add(Finding(
                view, FindingKind.DnssecLost, ProbeOutcome.Bogus, [],
                "the MX records were DNSSEC-secure before and are not now",
                $"policyctl check {view.Input.Owner}"));
        }
    }

    private static void MxSetReplaced(RotationView view, ImmutableArray<RotationFinding>.Builder holds)
    {
        var mx = view.Input.Mx;
        if (mx.TrustedHosts is null || mx.TrustedHosts.SetEquals(mx.Hosts) || view.Current.IsEmpty
            || view.Current.Any(slot => view.Pins.Accepts(slot.Certificate)))
            return;
        holds.Add(Finding(
            view, FindingKind.MxSetReplaced, ProbeOutcome.PinMismatch, view.Current,
            $"every key is new, and the MX hosts were {string.Join(' ', mx.TrustedHosts)} and are now {string.Join(' ', mx.Hosts)}",
            $"policyctl check {view.Input.Owner}"));
    }

    private static RotationFinding Finding(
        RotationView view, FindingKind kind, ProbeOutcome outcome, IEnumerable<CertificateSlot> slots, string detail, string remedy) =>
        new(kind, outcome, [.. view.Pins.Served.Select(pin => pin.Fingerprint)],
            [.. slots.Select(slot => slot.ToPresentedKey(view.Input.Digest))], detail, remedy);

    private static string Names(IEnumerable<AddressState> addresses) =>
        string.Join(", ", addresses.Select(address => $"{address.MxHost} [{address.History.Target.Address}]"));
}
