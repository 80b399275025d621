using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The transitions active to retiring to retired, after another served key is presented everywhere.</summary>
internal static class Retirement
{
    /// <summary>Makes active pins retiring in whose place every known address presents another served key. Retiring pins are still served.</summary>
    public static void Begin(RotationView view)
    {
        foreach (var pin in view.Pins.In(PinState.Active))
        {
            if (IsInUse(pin, view) || !IsReplacedEverywhere(pin, view) || !IsWhereItWasReachable(pin, view))
                continue;
            view.Pins.Move(
                pin, PinState.Retiring, pin.Strength, RotationRule.Replaced,
                $"every known address presented another served key for at least {view.Options.RetireAfter.ToLongText()} and "
                + $"{view.Options.RetireAfterProbes} probes");
        }
    }

    /// <summary>Retires retiring pins that no address has presented for the grace period.</summary>
    public static void Complete(RotationView view)
    {
        foreach (var pin in view.Pins.In(PinState.Retiring))
        {
            if (IsInUse(pin, view) || !IsReplacedEverywhere(pin, view) || !IsWhereItWasReachable(pin, view) || !IsUnseenForGrace(pin, view))
                continue;
            view.Pins.Move(
                pin, PinState.Retired, pin.Strength, RotationRule.GraceOver,
                $"not seen for at least {view.Options.RetireGrace.ToLongText()} in conclusive probes of every address that had it");
        }
    }

    /// <summary>True where some address, reachable or not, listed or not, presented the pin in its last conclusive probe.</summary>
    public static bool IsInUse(Pin pin, RotationView view) =>
        view.Algorithms.Any(algorithm => algorithm.Latest.Certificate?.Matches(pin.Fingerprint) == true);

    /// <summary>False where the pin was last seen at an address that cannot be reached now, whatever it showed since.</summary>
    private static bool IsWhereItWasReachable(Pin pin, RotationView view)
    {
        var last = view.Algorithms.Where(algorithm => algorithm.Address.Listed).Max(algorithm => algorithm.LastSeen(pin));
        return last is null || view.Algorithms
            .Where(algorithm => algorithm.Address.Listed && algorithm.LastSeen(pin) == last).All(algorithm => algorithm.Address.History.IsConclusive);
    }

    private static bool IsReplacedEverywhere(Pin pin, RotationView view) =>
        !view.Current.IsEmpty && view.Algorithms.Where(algorithm => algorithm.Address.Listed).All(algorithm => IsReplaced(algorithm, pin, view));

    private static bool IsReplaced(AddressAlgorithm algorithm, Pin pin, RotationView view)
    {
        var runs = algorithm.SinceReplaced(pin, view.Pins).ToList();
        return runs.Count > 0 && runs[0].Last - runs[^1].First >= view.Options.RetireAfter && runs.Sum(run => run.Probes) >= view.Options.RetireAfterProbes;
    }

    private static bool IsUnseenForGrace(Pin pin, RotationView view)
    {
        var algorithms = view.Algorithms.Where(algorithm => algorithm.Address.Listed && algorithm.LastSeen(pin) is not null).ToList();
        return algorithms.Count > 0
            ? algorithms.All(algorithm => algorithm.Latest.Last - algorithm.LastSeen(pin) >= view.Options.RetireGrace)
            // A pin that was never seen, such as an imported one: its grace began with retiring.
            : view.Current.All(algorithm => algorithm.Latest.Last - pin.Since >= view.Options.RetireGrace);
    }
}
