namespace PolicyDaemon.Core.Observations;

/// <summary>How long a stage of the dialogue took.</summary>
public readonly record struct StageTiming(ProbeStage Stage, TimeSpan Elapsed);
