using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Text;

/// <summary>The pins of a destination as a table, each with why it is not in the answer.</summary>
internal static class PinTable
{
    // Digits of a fingerprint that tell it from the others of the table above.
    private const int Shown = 16;

    internal static Table Of(Destination destination, PostfixSettings postfix)
    {
        var table = new Table("fingerprint", "digest", "of", "state", "trust", "since", "served");
        var selection = PinSelection.Of(destination, postfix);
        foreach (var pin in destination.Pins)
            table.Add(
                pin.Fingerprint.Hex,
                pin.Fingerprint.Algorithm.Name(),
                pin.Subject.Name(),
                pin.State.Name(),
                Trust(pin),
                UtcTime.Text(pin.Since),
                Served(destination, selection, pin));
        return table;
    }

    /// <summary>Below the table: where each pin was seen, and who decided.</summary>
    internal static void WriteEvidence(Report report, Destination destination, PinProbeState probeState)
    {
        foreach (var pin in destination.Pins)
        {
            foreach (var line in Lines(probeState, pin))
                report.Line($"{pin.Fingerprint.Hex[..Shown]}...  {line}", Tone.Faint);
        }
    }

    /// <summary>On what a pin is or was trusted; <c>-</c> for a candidate, and for what nothing ever trusted.</summary>
    internal static string Trust(Pin pin) => pin.State == PinState.Candidate ? "-" : pin.Strength?.Name() ?? "-";

    /// <summary><c>yes</c>, or why not.</summary>
    internal static Cell Served(Destination destination, PinSelection selection, Pin pin)
    {
        if (PinAnswer.WhyLeftOut(destination, selection, pin) is not { } why)
            return new Cell("yes", Tone.Good);
        return new Cell("no: " + why, destination.Policy.Level.MatchesFingerprints() ? Tone.Caution : Tone.Faint);
    }

    /// <summary><c>mx.example [192.0.2.1]</c> for each address that presented it; for one that does no more with the time of the last probe that saw it.</summary>
    internal static string Places(PinProbeState probeState, Pin pin) => string.Join(", ", probeState.PresentationsOf(pin).Select(seen =>
        seen.IsCurrent ? Place(seen) : $"{Place(seen)} until {UtcTime.Text(seen.Last)}"));

    private static IEnumerable<string> Lines(PinProbeState probeState, Pin pin)
    {
        if (probeState.Seen(pin) is { } seen)
            yield return $"seen {UtcTime.Text(seen.First)} to {UtcTime.Text(seen.Last)} at {Places(probeState, pin)}";
        else if (probeState.Probed?.LastProbe is not null)
            yield return "never seen by a probe";
        if (probeState.EvidenceOf(pin) is { } decision)
            yield return $"{pin.State.Name()} by {decision.Describe()}";
    }

    private static string Place(PinPresentation seen) => $"{seen.MxHost} [{seen.Target.Address}]";
}
