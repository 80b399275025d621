using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>candidate to active or standby, on evidence and within the mode; standby to active at first sight.</summary>
internal static class Promotion
{
    /// <summary>Promotes what evidence allows.</summary>
    /// <returns>When waiting alone would allow more; null where it would not.</returns>
    public static DateTimeOffset? OnEvidence(RotationView view, ImmutableArray<RotationFinding>.Builder findings)
    {
        DateTimeOffset? reconsider = null;
        foreach (var candidate in view.Pins.In(PinState.Candidate))
        {
            if (!view.Pins.HasRoomForServed || IsRejected(candidate, view))
                continue;
            var (strength, rule, reason) = Evidence(candidate, view);
            if (reason is null)
                continue;
            if (Doubt(candidate, view) is { } doubt)
            {
                findings.Add(doubt);
                continue;
            }

            if (rule == RotationRule.Dane && !DaneEvidence.HasWaited(candidate, view))
            {
                var ripe = candidate.Since + view.Input.Brake.Options.EvidenceWait;
                reconsider = reconsider is null || ripe < reconsider ? ripe : reconsider;
                continue;
            }

            var isSeen = view.Current.Any(slot => slot.Certificate.Matches(candidate.Fingerprint));
            view.Pins.Move(candidate, isSeen ? PinState.Active : PinState.Standby, strength, rule, reason);
        }

        return reconsider;
    }

    /// <summary>An announced key that is seen is in use.</summary>
    /// <remarks>A digest in a TLSA record does not say how strong the key is; so where only a zone announced it, that is
    /// judged now, and a person is told.</remarks>
    public static void OnFirstUse(RotationView view, ImmutableArray<RotationFinding>.Builder findings)
    {
        foreach (var standby in view.Pins.In(PinState.Standby))
        {
            if (view.Current.FirstOrDefault(slot => slot.Certificate.Matches(standby.Fingerprint)) is not { } slot
                || view.Pins.Rejects(slot.Certificate))
                continue;
            if (standby.Strength == PinStrength.Dane && Doubt(standby, view) is { } doubt)
            {
                findings.Add(doubt);
                continue;
            }

            view.Pins.Move(
                standby, PinState.Active, standby.Strength, RotationRule.FirstUse,
                $"first presented by {slot.Address.MxHost} [{slot.Address.History.Target.Address}]");
        }
    }

    private static (PinStrength Strength, RotationRule Rule, string? Reason) Evidence(Pin candidate, RotationView view)
    {
        if (DaneEvidence.For(candidate, view) is { } dane)
            return (PinStrength.Dane, RotationRule.Dane, dane);
        return view.Input.Mode == PinMode.Auto && WebPkiEvidence.For(candidate, view) is { } webPki
            ? (PinStrength.WebPki, RotationRule.WebPki, webPki)
            : default;
    }

    private static bool IsRejected(Pin candidate, RotationView view) =>
        view.Current.Any(slot => slot.Certificate.Matches(candidate.Fingerprint) && view.Pins.Rejects(slot.Certificate));

    private static RotationFinding? Doubt(Pin candidate, RotationView view)
    {
        foreach (var slot in view.Current.Where(slot => slot.Certificate.Matches(candidate.Fingerprint)))
        {
            if (CandidateHolds.Of(slot, view) is var (kind, detail))
            {
                return new RotationFinding(
                    kind, ProbeOutcome.PinMismatch, [.. view.Pins.Served.Select(pin => pin.Fingerprint)],
                    [slot.ToPresentedKey(view.Input.Digest)], detail, $"policyctl pin approve {view.Input.Owner} {candidate.Fingerprint}");
            }
        }

        return null;
    }
}
