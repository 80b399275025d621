using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Finds where the mail of a next-hop destination goes, for the prober.</summary>
/// <remarks>What is asked and what it amounts to is <see cref="MxReader"/>'s; a failure of ours is never an absence.</remarks>
public sealed class MxResolver : IMxResolver, IDisposable
{
    /// <summary>The oldest DNS answer that a probe uses: what a partner has changed in DNS must be seen by the next probe.</summary>
    internal static readonly TimeSpan OldestAnswer = TimeSpan.FromMinutes(1);

    private readonly DnsResolvers resolvers;
    private readonly bool isOwner;

    /// <summary>An MX resolver over DNS resolvers that other parts of the program use, too.</summary>
    public MxResolver(DnsResolvers resolvers)
    {
        ArgumentNullException.ThrowIfNull(resolvers);
        this.resolvers = resolvers;
    }

    public MxResolver(DnsOptions options, TimeProvider time)
        : this(new DnsResolvers(options, time)) => isOwner = true;

    /// <summary>The addresses of the DNS resolvers, in the order in which they are asked.</summary>
    public IReadOnlyList<IPEndPoint> Servers => resolvers.Servers;

    /// <summary>The last self-test of a trusted resolver; null where none has run.</summary>
    public ResolverTest? Test => resolvers.Test;

    /// <summary>Told of every reading with the answers that it rests on, by the task that asked.</summary>
    public Action<MxReading>? Read { get; set; }

    /// <inheritdoc/>
    public string? Trouble => Test is { Passed: false, Detail: { } detail } ? detail : null;

    /// <inheritdoc/>
    public string? Untested => Test is { Passed: true, Detail: { } detail } ? detail : null;

    /// <inheritdoc/>
    public async Task<MxResolution> ResolveAsync(
        NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        var isTrusted = await resolvers.IsTrustedAsync(cancellation);
        var reading = await resolvers.ReadMxAsync(nextHop, probeAs, isTrusted, OldestAnswer, CancellationToken.None, cancellation);
        Read?.Invoke(reading);
        return reading.Resolution;
    }

    /// <inheritdoc/>
    public Task<bool> RetestAsync(CancellationToken cancellation) =>
        resolvers.RetestAsync("it was tested immediately before a key was to be served that it called proven", cancellation);

    /// <summary>Tests a resolver that is marked trusted, where it was not tested of late; the result is <see cref="Test"/>.</summary>
    /// <returns>True where it passes.</returns>
    public Task<bool> TestAsync(CancellationToken cancellation) => resolvers.IsTrustedAsync(cancellation);

    /// <inheritdoc/>
    public void Sweep() => resolvers.Shared.Sweep();

    public void Dispose()
    {
        if (isOwner)
            resolvers.Dispose();
    }
}
