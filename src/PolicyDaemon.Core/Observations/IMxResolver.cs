using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Observations;

/// <summary>Finds where the mail of a destination goes.</summary>
public interface IMxResolver
{
    /// <summary>A failure is a <see cref="MxResolution.Outcome"/>; only the caller's cancellation throws.</summary>
    /// <param name="probeAs">Hosts to visit for a leading-dot key.</param>
    Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation);

    /// <summary>What is wrong with the resolver that is marked trusted; null where nothing is, or none is.</summary>
    string? Trouble { get; }

    /// <summary>What the self-test that it passed could not tell; null where nothing.</summary>
    string? Doubt => null;

    /// <summary>Lets go of what was kept to answer several destinations with and is too old for that.</summary>
    void Sweep()
    {
    }
}
