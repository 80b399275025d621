using System.Globalization;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>What is known of the pins of a destination beside themselves: where they were seen, and who decided.</summary>
internal sealed class PinProbeState(ProbeState? probed, IReadOnlyDictionary<Fingerprint, PinEvidence> evidence)
{
    public static readonly PinProbeState None = new(null, new Dictionary<Fingerprint, PinEvidence>());

    internal static PinProbeState Read(PolicyStore store, Destination destination) =>
        new(store.ReadProbeState(destination.Key), store.ReadEvidence(destination.Key));

    /// <summary>What the prober knows of the destination; null where that was not read.</summary>
    public ProbeState? Probed { get; } = probed;

    public IReadOnlyList<PinPresentation> PresentationsOf(Pin pin) => Probed is null ? [] : Probed.PresentationsOf(pin.Fingerprint);

    public PinEvidence? EvidenceOf(Pin pin) => evidence.GetValueOrDefault(pin.Fingerprint);

    /// <summary>The first and last time that a pin was seen anywhere; null where it never was.</summary>
    public (DateTimeOffset First, DateTimeOffset Last)? Seen(Pin pin) => PresentationsOf(pin) is { Count: > 0 } sightings
        ? (sightings.Min(seen => seen.First), sightings.Max(seen => seen.Last))
        : null;

    /// <summary><c>mx.example [192.0.2.1]</c> for each place; those that show it no more in brackets of their own.</summary>
    public string Places(Pin pin) => string.Join(", ", PresentationsOf(pin).Select(seen =>
        seen.IsCurrent ? Place(seen) : $"({Place(seen)} until {Times.Text(seen.Last)})"));

    /// <summary>In a line or two, below the table of pins.</summary>
    public IEnumerable<string> Lines(Pin pin)
    {
        if (Seen(pin) is { } seen)
            yield return $"seen {Times.Text(seen.First)} to {Times.Text(seen.Last)} at {Places(pin)}";
        else if (Probed?.LastProbe is not null)
            yield return "never seen by a probe";
        if (EvidenceOf(pin) is { } decision)
            yield return string.Create(CultureInfo.InvariantCulture, $"{pin.State.Name()} by {decision.Text}");
    }

    private static string Place(PinPresentation seen) => $"{seen.MxHost} [{seen.Target.Address}]";
}
