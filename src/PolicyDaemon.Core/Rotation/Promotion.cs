using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>candidate to active or standby, on evidence and within the mode; standby to active when it is first presented.</summary>
internal static class Promotion
{
    /// <summary>Promotes what evidence allows.</summary>
    /// <returns>When waiting alone would allow more; null where it would not.</returns>
    public static DateTimeOffset? OnEvidence(RotationView view)
    {
        DateTimeOffset? reconsider = null;
        foreach (var candidate in view.Pins.In(PinState.Candidate))
        {
            if (!view.Pins.HasRoomForServed || IsRefused(candidate, view))
                continue;
            var (strength, rule, reason) = EvidenceFor(candidate, view);
            if (reason is null)
                continue;
            if (IsHeld(candidate, view))
                continue;

            if (rule == RotationRule.Dane && !Evidence.HasWaited(candidate, view))
            {
                var ripe = candidate.Since + view.Input.Brake.Options.EvidenceWait;
                reconsider = reconsider is null || ripe < reconsider ? ripe : reconsider;
                continue;
            }

            var isSeen = view.Current.Any(algorithm => algorithm.Certificate.Matches(candidate.Fingerprint));
            view.Pins.Move(candidate, isSeen ? PinState.Active : PinState.Standby, strength, rule, reason);
        }

        return reconsider;
    }

    /// <summary>An announced key that is seen is in use.</summary>
    /// <remarks>A digest in a TLSA record does not say how strong the key is; so where only a zone announced it, that is
    /// judged now, and a person is told.</remarks>
    public static void OnFirstUse(RotationView view)
    {
        foreach (var standby in view.Pins.In(PinState.Standby))
        {
            if (view.Current.FirstOrDefault(algorithm => algorithm.Certificate.Matches(standby.Fingerprint)) is not { } algorithm
                || view.Pins.Refuses(algorithm.Certificate))
                continue;
            if (standby.Strength == PinStrength.Dane && IsHeld(standby, view))
                continue;

            view.Pins.Move(
                standby, PinState.Active, standby.Strength, RotationRule.FirstUse,
                $"first presented by {algorithm.Address.MxHost} [{algorithm.Address.History.Target.Address}]");
        }
    }

    private static (PinStrength Strength, RotationRule Rule, string? Reason) EvidenceFor(Pin candidate, RotationView view)
    {
        if (Evidence.Dane(candidate, view) is { } dane)
            return (PinStrength.Dane, RotationRule.Dane, dane);
        return view.Input.Mode == PinMode.Auto && Evidence.WebPki(candidate, view) is { } webPki
            ? (PinStrength.WebPki, RotationRule.WebPki, webPki)
            : default;
    }

    private static bool IsRefused(Pin candidate, RotationView view) =>
        view.Current.Any(algorithm => algorithm.Certificate.Matches(candidate.Fingerprint) && view.Pins.Refuses(algorithm.Certificate));

    /// <summary>True where something about the key takes a person, whatever the evidence for it.</summary>
    private static bool IsHeld(Pin candidate, RotationView view) =>
        view.Current.Any(algorithm => algorithm.Certificate.Matches(candidate.Fingerprint) && CandidateHolds.Of(algorithm, view) is not null);
}
