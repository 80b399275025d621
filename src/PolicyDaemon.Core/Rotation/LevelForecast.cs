using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What would happen to a destination's mail at one level, given what its servers showed just now.</summary>
/// <param name="Level">The level.</param>
/// <param name="Match">The names that it would need beside its own; empty where the level's defaults do.</param>
/// <param name="SendsName">True where it takes <c>servername=hostname</c>: the servers show another certificate without SNI.</param>
/// <param name="Verdict">Over all addresses.</param>
/// <param name="Refusals">Addresses at which mail would not go through, with the reason.</param>
/// <param name="Why">Why the level is out of the question whatever the servers show; null where it is not.</param>
public sealed record LevelForecast(
    TlsLevel Level, ImmutableArray<string> Match, bool SendsName, DestinationVerdict Verdict,
    ImmutableArray<(AddressState Address, ProbeOutcome Outcome)> Refusals, string? Why = null)
{
    /// <summary>Every address that could be reached would accept.</summary>
    public bool Delivers => Verdict == DestinationVerdict.Ok;
}
