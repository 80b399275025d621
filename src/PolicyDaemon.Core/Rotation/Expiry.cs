using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Ends pins that came to nothing: announced keys that never appeared, candidates that nobody trusted and no server presents any more.</summary>
internal static class Expiry
{
    /// <summary>An unseen standby pin goes after its time; the last served pin stays, with a finding.</summary>
    public static void Standby(RotationView view)
    {
        foreach (var pin in view.Pins.In(PinState.Standby))
        {
            if (IsOver(pin, view) && view.Pins.Served.Count() > 1)
            {
                view.Pins.Move(
                    pin, PinState.Retired, pin.Strength, RotationRule.StandbyExpired,
                    $"announced, and not seen for {view.Options.StandbyExpiry.ToLongText()}");
            }
        }
    }

    /// <summary>A candidate that nobody approved and no server presents any more leaves the list of things to decide.</summary>
    public static void Candidates(RotationView view)
    {
        foreach (var pin in view.Pins.In(PinState.Candidate))
        {
            if (IsOver(pin, view))
            {
                view.Pins.Move(
                    pin, PinState.Retired, pin.Strength, RotationRule.CandidateGone,
                    $"never trusted, and not seen for {view.Options.StandbyExpiry.ToLongText()}");
            }
        }

        // Kept for the record, but no stranger fills it.
        foreach (var pin in view.Pins.In(PinState.Retired).Where(pin => pin.Strength is null)
            .OrderByDescending(pin => pin.Since).ThenBy(pin => pin.Fingerprint.Hex, StringComparer.Ordinal).Skip(PinSet.Candidates))
            view.Pins.Forget(pin, RotationRule.MadeWay, "never trusted, and many came after it");
    }

    /// <summary>True where nobody has presented it for the time that an announced key has.</summary>
    public static bool IsOver(Pin pin, RotationView view) =>
        !view.Current.IsEmpty
        && view.Current.Max(algorithm => algorithm.Latest.Last) - pin.Since >= view.Options.StandbyExpiry
        && !Retirement.IsInUse(pin, view)
        && view.Algorithms.All(algorithm => algorithm.LastSeen(pin) is not { } seen || algorithm.Latest.Last - seen >= view.Options.StandbyExpiry);
}
