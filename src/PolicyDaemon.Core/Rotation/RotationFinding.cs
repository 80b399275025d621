using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Something a person should read about one destination's pins.</summary>
/// <param name="Kind">One finding per kind and owner is open at a time.</param>
/// <param name="Outcome">Its class; its RFC 8460 result type is <see cref="ProbeOutcomes.ResultType"/>.</param>
/// <param name="Expected">The served pins.</param>
/// <param name="Seen">What was presented instead, in the served digest, by whom; ordered.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
public sealed record RotationFinding(
    FindingKind Kind, ProbeOutcome Outcome, ImmutableArray<Fingerprint> Expected, ImmutableArray<PresentedKey> Seen, string Detail, string Remedy);
