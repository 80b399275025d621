using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>The probe state of a destination's pins: where each was presented, and the decision that brought it into its state.</summary>
public sealed class PinProbeState(ProbeState? probed, IReadOnlyDictionary<Fingerprint, PinEvidence> evidence)
{
    public static readonly PinProbeState None = new(null, new Dictionary<Fingerprint, PinEvidence>());

    public static PinProbeState Read(PolicyStore store, Destination destination) =>
        new(store.ReadProbeState(destination.Key), store.ReadEvidence(destination.Key));

    /// <summary>The probe state of the destination; null where it was not read.</summary>
    public ProbeState? Probed { get; } = probed;

    public IReadOnlyList<PinPresentation> PresentationsOf(Pin pin) => Probed is null ? [] : Probed.PresentationsOf(pin.Fingerprint);

    public PinEvidence? EvidenceOf(Pin pin) => evidence.GetValueOrDefault(pin.Fingerprint);

    /// <summary>The first and last time that any address presented the pin; null where none ever did.</summary>
    public (DateTimeOffset First, DateTimeOffset Last)? Seen(Pin pin) => PresentationsOf(pin) is { Count: > 0 } seenAt
        ? (seenAt.Min(seen => seen.First), seenAt.Max(seen => seen.Last))
        : null;
}
