using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The reasons for which a destination always takes a person, whatever the mode. While one of them holds, none of its pins changes by itself.</summary>
internal static class Holds
{
    public static ImmutableArray<Finding> Of(RotationView view)
    {
        var holds = ImmutableArray.CreateBuilder<Finding>();
        StartTlsGone(view, holds);
        PlaintextInjected(view, holds);
        TlsaMismatch(view, holds);
        DnssecLost(view, holds);
        MxSetReplaced(view, holds);
        return holds.ToImmutable();
    }

    private static void StartTlsGone(RotationView view, ImmutableArray<Finding>.Builder holds)
    {
        var lost = view.Addresses.Where(address => address.Listed && address.History.LostStartTls).ToList();
        if (lost.Count > 0)
        {
            holds.Add(view.Finding(
                FindingKind.StartTlsGone, ProbeOutcome.StartTlsNotSupported, [],
                $"{Names(lost)} offered STARTTLS before and does not now",
                view.Check));
        }
    }

    private static void PlaintextInjected(RotationView view, ImmutableArray<Finding>.Builder holds)
    {
        var injected = view.Addresses
            .Where(address => address.Listed && address.History is { LastAttempt: not null, LastOutcome: ProbeOutcome.PlaintextInjected })
            .ToList();
        if (injected.Count > 0)
        {
            holds.Add(view.Finding(
                FindingKind.PlaintextInjected, ProbeOutcome.PlaintextInjected, [],
                $"{Names(injected)}: octets in the clear behind the reply to STARTTLS; someone writes into the connection, or the server is broken",
                view.Check));
        }
    }

    private static void TlsaMismatch(RotationView view, ImmutableArray<Finding>.Builder holds)
    {
        var mismatching = view.Current.Where(algorithm => algorithm.Dane == DaneVerdict.Mismatch).ToList();
        if (mismatching.Count > 0)
        {
            holds.Add(view.Finding(
                FindingKind.TlsaMismatch, ProbeOutcome.TlsaMismatch, mismatching,
                "a secure TLSA record exists and does not match what is presented: the server changed before its zone did, or it is another server",
                view.Check));
        }
    }

    private static void DnssecLost(RotationView view, ImmutableArray<Finding>.Builder holds)
    {
        if (view.Input.Mx.WasSecure && view.Input.Mx.Dnssec is DnssecStatus.Insecure or DnssecStatus.Bogus)
        {
            holds.Add(view.Finding(
                FindingKind.DnssecLost, ProbeOutcome.Bogus, [],
                "the MX records were DNSSEC-secure before and are not now; where the partner says over another channel that this is meant, domain set --accept-unsigned with a --reason ends it",
                view.Check));
        }
    }

    private static void MxSetReplaced(RotationView view, ImmutableArray<Finding>.Builder holds)
    {
        var mx = view.Input.Mx;
        if (mx.TrustedHosts is null || mx.TrustedHosts.SetEquals(mx.Hosts) || view.Current.IsEmpty
            || view.Current.Any(algorithm => view.Pins.Accepts(algorithm.Certificate)))
            return;
        holds.Add(view.Finding(
                FindingKind.MxSetReplaced, ProbeOutcome.PinMismatch, view.Current,
            $"every key is new, and the MX hosts were {string.Join(' ', mx.TrustedHosts)} and are now {string.Join(' ', mx.Hosts)}",
            view.Check));
    }

    private static string Names(IEnumerable<AddressState> addresses) =>
        string.Join(", ", addresses.Select(address => $"{address.MxHost} [{address.History.Target.Address}]"));
}
