using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>What was looked up a moment ago, and is not asked again.</summary>
internal sealed class KnownResolution(MxResolution resolution) : IMxResolver
{
    public string? Trouble => null;

    public Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation) =>
        Task.FromResult(resolution);
}
