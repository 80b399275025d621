namespace PolicyDaemon.Core.Observations;

/// <summary>Looks at one target.</summary>
public interface IServerProbe
{
    /// <summary>A failure is an <see cref="Observation.Outcome"/>; only the caller's cancellation throws.</summary>
    /// <param name="target">What to connect to.</param>
    /// <param name="bothAlgorithms">Also ask, in a connection of its own, for a certificate of the other key algorithm.</param>
    Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation);
}
