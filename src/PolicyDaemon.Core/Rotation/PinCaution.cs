using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What is on record of a destination, findings and keys that probes saw, that speaks against a person's change of its served pins: such a
/// change takes a reason, by whatever command it comes.</summary>
/// <remarks>
/// <see cref="Weakening"/> compares what two entries say and knows no servers. Automation is judged by neither of these: its rules look at what their
/// own probe found (<see cref="CandidateHolds"/>), and what is on record is what the probe before it found.
/// </remarks>
/// <param name="before">The entry as it is.</param>
/// <param name="after">The entry as it would be; null for a removal.</param>
public sealed class PinCaution(Destination before, Destination? after)
{
    private readonly HashSet<Fingerprint> was = Served(before);
    private readonly HashSet<Fingerprint> shall = after is null ? [] : Served(after);

    /// <summary>True where other pins would be served at a level that compares them; any other change of these is one of the level, or a removal.</summary>
    public bool ChangesServedPins { get; } = after?.Policy.Level.MatchesFingerprints() == true && !Served(before).SetEquals(Served(after));

    /// <summary>Why an attack is not excluded, a sentence; null where no open finding says so.</summary>
    /// <param name="open">The open findings about the destination.</param>
    public string? Suspicion(IEnumerable<Finding> open)
    {
        var suspicious = open.Where(finding => finding.Kind.Description().IsSuspicious).ToList();
        return suspicious.Count == 0 || !ChangesServedPins
            ? null
            : $"somebody else may answer in the place of {before.Key.ToDisplayString()} "
                + $"({string.Join("; ", suspicious.Select(finding => $"{finding.Kind.Name()} since {finding.Since:yyyy-MM-dd HH:mm} UTC: {finding.Detail}"))}); "
                + $"look first: policyctl check {Shell.Quote(before.Key.Text)}; then ask the partner over another channel";
    }

    /// <summary>Which keys that would be served are weaker than those that are, a sentence each.</summary>
    /// <param name="seen">What the prober has seen of the destination; null before its first probe.</param>
    public IReadOnlyList<string> WeakKeys(ProbeState? seen)
    {
        if (!ChangesServedPins)
            return [];
        var trusted = before.Pins.Where(pin => was.Contains(pin.Fingerprint)).ToList();
        return [.. shall.Except(was).Select(wanted => KeyStrength.Weakness(wanted, trusted, seen)).OfType<string>()];
    }

    private static HashSet<Fingerprint> Served(Destination entry) =>
        entry.Policy.Level.MatchesFingerprints() ? [.. entry.Pins.Where(pin => pin.IsServed).Select(pin => pin.Fingerprint)] : [];
}
