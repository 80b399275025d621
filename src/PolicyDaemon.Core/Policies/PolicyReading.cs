using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>What a policy text says.</summary>
/// <param name="Policy">Level and attributes; null where not even the level can be read.</param>
/// <param name="Fingerprints">The pins of <c>match</c> at level <c>fingerprint</c>, in their order, each once.</param>
/// <param name="Problems">What Postfix would refuse. With any of these Postfix defers the mail (or drops the pin).</param>
/// <param name="Warnings">What Postfix reads and what means nothing.</param>
public sealed record PolicyReading(
    TlsPolicy? Policy,
    ImmutableArray<Fingerprint> Fingerprints,
    ImmutableArray<PolicyProblem> Problems,
    ImmutableArray<PolicyProblem> Warnings);
