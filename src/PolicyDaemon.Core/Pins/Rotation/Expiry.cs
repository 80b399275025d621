using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Probing;

namespace PolicyDaemon.Core.Pins.Rotation;

/// <summary>What was announced or seen, and never came to anything.</summary>
internal static class Expiry
{
    private static readonly TimeSpan StandbyLife = TimeSpan.FromDays(30);
    private static readonly TimeSpan CandidateLife = TimeSpan.FromDays(30);

    /// <summary>An unseen standby pin goes after 30 days; the last served pin stays, with a finding.</summary>
    public static void Standby(RotationView view, ImmutableArray<RotationFinding>.Builder findings)
    {
        foreach (var pin in view.Pins.In(PinState.Standby))
        {
            if (!IsOver(pin, StandbyLife, view))
                continue;
            if (view.Pins.Served.Count() > 1)
            {
                view.Pins.Move(
                    pin, PinState.Retired, pin.Strength, RotationRule.StandbyExpired, "announced, and not seen for 30 days");
                continue;
            }

            findings.Add(new RotationFinding(
                FindingKind.LastPinUnseen, ProbeOutcome.PinMismatch, [pin.Fingerprint],
                [.. view.Current.Select(slot => slot.ToSeenKey(view.Input.Digest))],
                "the only pin was announced more than 30 days ago and has never been seen; it stays, because it is the last",
                $"policyctl pin list {view.Input.Owner}"));
        }
    }

    /// <summary>A candidate that nobody approved and no server presents any more leaves the list of things to decide.</summary>
    public static void Candidates(RotationView view)
    {
        foreach (var pin in view.Pins.In(PinState.Candidate))
        {
            if (IsOver(pin, CandidateLife, view))
            {
                view.Pins.Move(
                    pin, PinState.Retired, pin.Strength, RotationRule.CandidateGone, "never trusted, and not seen for 30 days");
            }
        }
    }

    private static bool IsOver(Pin pin, TimeSpan life, RotationView view) =>
        !view.Current.IsEmpty
        && view.Current.Max(slot => slot.Latest.Last) - pin.Since >= life
        && !Retirement.IsInUse(pin, view)
        && view.Slots.All(slot => slot.LastSeen(pin) is not { } seen || slot.Latest.Last - seen >= life);
}
