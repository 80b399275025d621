namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What the engine is about.</summary>
/// <param name="Destinations">How many it looks after.</param>
/// <param name="InFlight">How many it looks at now.</param>
/// <param name="Due">How many wait for their turn; a few seconds old.</param>
/// <param name="Looks">How many looks have ended since it started.</param>
public sealed record EngineStatus(int Destinations, int InFlight, int Due, long Looks);
