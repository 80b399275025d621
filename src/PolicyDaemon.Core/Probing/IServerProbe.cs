namespace PolicyDaemon.Core.Probing;

/// <summary>Looks at one target.</summary>
public interface IServerProbe
{
    /// <summary>A failure is an <see cref="Observation.Outcome"/>; only the caller's cancellation throws.</summary>
    Task<Observation> ProbeAsync(ProbeTarget target, CancellationToken cancellation);
}
