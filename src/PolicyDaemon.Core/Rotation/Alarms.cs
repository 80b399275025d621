using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Findings about the present, whether or not a pin changes by itself: refusals, unknown keys, rejected keys, pins that are stuck.</summary>
internal static class Alarms
{
    public static void Add(RotationView view, DestinationVerdict verdict, ImmutableArray<Finding>.Builder findings)
    {
        RejectedKey(view, findings);
        NewKey(view, findings);
        Refusal(view, verdict, findings);
        OtherDigest(view, findings);
        Held(view, findings);
    }

    private static void RejectedKey(RotationView view, ImmutableArray<Finding>.Builder findings)
    {
        var slots = view.Current.Where(slot => view.Pins.Rejects(slot.Certificate)).ToList();
        if (slots.Count > 0)
        {
            findings.Add(view.Finding(
                FindingKind.RejectedKeySeen, ProbeOutcome.PinMismatch, slots,
                "a key that a person rejected is presented again", $"policyctl pin list {view.Input.Entry}"));
        }
    }

    private static void NewKey(RotationView view, ImmutableArray<Finding>.Builder findings)
    {
        var slots = view.Current.Where(slot => !view.Pins.Accepts(slot.Certificate) && !view.Pins.Rejects(slot.Certificate)).ToList();
        if (slots.Count == 0)
            return;
        var keys = slots.Select(slot => slot.Certificate.Digest(PinSubject.PublicKey, view.Input.Digest)).Distinct().ToList();
        if (!view.Pins.HasRoomForCandidate && keys.Any(key => view.Pins.Find(key) is null))
        {
            findings.Add(view.Finding(
                FindingKind.TooManyKeys, ProbeOutcome.PinMismatch, slots,
                "more new keys were seen than are kept; reject or approve some of them", $"policyctl pin list {view.Input.Entry}"));
        }

        findings.Add(view.Finding(
            FindingKind.NewKey, ProbeOutcome.PinMismatch, slots,
            $"{string.Join(", ", slots.Select(slot => slot.Address.MxHost).Distinct())} presents a key that is not pinned; compare its fingerprint with the partner over another channel before it is approved",
            $"policyctl pin approve {view.Input.Entry} {keys[0]}"));
    }

    private static void Refusal(RotationView view, DestinationVerdict verdict, ImmutableArray<Finding>.Builder findings)
    {
        switch (verdict)
        {
            case DestinationVerdict.Mismatch:
                findings.Add(view.Finding(
                    FindingKind.PinMismatch, ProbeOutcome.PinMismatch, view.Current,
                    "every reachable address would be refused: mail waits", $"policyctl explain {view.Input.Entry}"));
                break;
            case DestinationVerdict.Degraded:
                findings.Add(view.Finding(
                    FindingKind.PinMismatch, ProbeOutcome.PinMismatch, view.Current.Where(slot => !view.Pins.Accepts(slot.Certificate)),
                    "some address would be refused: mail goes through the others", $"policyctl explain {view.Input.Entry}"));
                break;
            case DestinationVerdict.Unreachable:
                findings.Add(view.Finding(
                    FindingKind.DestinationUnreachable, ProbeOutcome.Unreachable, [],
                    "no address could be reached in the last probe", $"policyctl check {view.Input.Entry}"));
                break;
        }
    }

    private static void OtherDigest(RotationView view, ImmutableArray<Finding>.Builder findings)
    {
        var waiting = view.Pins.Served.Where(pin => pin.NeedsConversion(view.Input.Digest)).ToList();
        var slots = view.Current
            .Where(slot => waiting.Exists(pin => slot.Certificate.Matches(pin.Fingerprint))
                && !view.Pins.Served.Any(pin => pin.Fingerprint.Algorithm == view.Input.Digest && slot.Certificate.Matches(pin.Fingerprint)))
            .ToList();
        if (slots.Count > 0)
        {
            var key = slots[0].Certificate.Digest(PinSubject.PublicKey, view.Input.Digest);
            findings.Add(view.Finding(
                FindingKind.PinInOtherDigest, ProbeOutcome.PinMismatch, slots,
                $"a pin is known in {waiting[0].Fingerprint.Algorithm.Name()} only, and {view.Input.Digest.Name()} is served; it names what is presented",
                $"policyctl pin approve {view.Input.Entry} {key}"));
        }
    }

    private static void Held(RotationView view, ImmutableArray<Finding>.Builder findings)
    {
        foreach (var pin in view.Pins.Served)
        {
            var holders = view.CertificateSlots
                .Where(slot => slot.Latest.Certificate?.Matches(pin.Fingerprint) == true && !slot.Address.Listed)
                .ToList();
            var isElsewhere = view.CertificateSlots.Any(slot => slot.Address.Listed && slot.Latest.Certificate?.Matches(pin.Fingerprint) == true);
            if (holders.Count == 0 || isElsewhere)
                continue;
            var where = string.Join(", ", holders.Select(slot => $"{slot.Address.MxHost} [{slot.Address.History.Target.Address}]"));
            findings.Add(view.Finding(
                FindingKind.PinHeld, ProbeOutcome.PinMismatch, [],
                $"pin {pin.Fingerprint} was last seen at {where}, which DNS does not name any more; it does not retire by itself",
                $"policyctl pin revoke {view.Input.Entry} {pin.Fingerprint}"));
        }
    }
}
