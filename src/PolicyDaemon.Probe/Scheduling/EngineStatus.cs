namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What the engine is doing.</summary>
/// <param name="Destinations">How many destinations it probes.</param>
/// <param name="InFlight">How many probes run now.</param>
/// <param name="Due">How many destinations wait for their turn; a few seconds old.</param>
/// <param name="Probes">How many probes have ended since the start.</param>
public sealed record EngineStatus(int Destinations, int InFlight, int Due, long Probes);
