using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup;

/// <summary>The listeners of a daemon and their connections.</summary>
/// <remarks>Start, any number of Apply, Stop; not to be called from several threads at once.</remarks>
public sealed class LookupServer : IAsyncDisposable
{
    private readonly LookupService service;
    private readonly LookupOptions options;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly ConnectionRegistry registry;
    private readonly List<MapListener> listeners = [];
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="ArgumentException">The options are not valid.</exception>
    public LookupServer(LookupService service, LookupOptions options, ILogger<LookupServer> logger, TimeProvider time)
    {
        if (options.Validate() is { } reason)
            throw new ArgumentException(reason, nameof(options));
        this.service = service;
        this.options = options;
        this.logger = logger;
        this.time = time;
        registry = new ConnectionRegistry(service, options, logger, time);
        if (registry.Limit < options.MaxConnections)
            logger.FewDescriptors(registry.Limit, options.MaxConnections);
        _ = WatchAsync(registry.LoopCompletion);
    }

    /// <summary>Ends after <see cref="StopAsync"/>; faults when a listener cannot accept any more, and the process should end.</summary>
    public Task Completion => completion.Task;

    /// <summary>Where lookups are answered now, with the ports that the kernel chose.</summary>
    public IReadOnlyList<string> Listening => [.. listeners.Select(listener => listener.Name)];

    /// <summary>The same with the protocol in front: <c>socketmap inet:127.0.0.1:8461</c>.</summary>
    public IReadOnlyList<string> Serving => [.. listeners.Select(listener => $"{listener.Protocol.Name()} {listener.Name}")];

    public int ConnectionCount => registry.Count;

    /// <summary>True once after many connections, or much that was kept for their peers, are gone: what they leave behind can be given back.</summary>
    public bool TakeRelief() => registry.TakeRelief();

    /// <summary>Binds every endpoint that was not handed over and begins to answer; all or none.</summary>
    /// <param name="inherited">Sockets that listen already, as systemd hands them over, each with the endpoint it serves.
    /// They are never closed: the next daemon gets the same ones, and clients wait in them meanwhile.</param>
    /// <exception cref="IOException">An endpoint cannot be bound; the message says which and why.</exception>
    public async Task StartAsync(params IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> inherited)
    {
        foreach (var (socket, endpoint) in inherited)
            Run(MapListener.Inherit(socket, endpoint, registry, service.Counters, logger, time));
        await ApplyAsync(options.Endpoints);
    }

    /// <summary>Listens on these endpoints from now on; no connection is dropped, not even those of an endpoint that is gone.</summary>
    /// <remarks>A socket that was handed over stays open, also where its endpoint is gone.</remarks>
    /// <exception cref="IOException">A new endpoint cannot be bound; everything stays as it was.</exception>
    public async Task ApplyAsync(IReadOnlyList<MapEndpoint> endpoints)
    {
        var opened = new List<MapListener>();
        try
        {
            foreach (var endpoint in endpoints)
            {
                if (!listeners.Any(listener => listener.Serves(endpoint)))
                    opened.Add(MapListener.Open(endpoint, options, registry, service.Counters, logger, time));
            }
        }
        catch (IOException)
        {
            foreach (var listener in opened)
                await listener.DisposeAsync();
            throw;
        }

        foreach (var listener in opened)
            Run(listener);
        foreach (var gone in listeners.Where(listener => !listener.IsInherited && !endpoints.Contains(listener.Endpoint)).ToList())
        {
            listeners.Remove(gone);
            await gone.DisposeAsync();
        }
    }

    /// <summary>Stops accepting, lets replies under way be completed, closes idle connections at once and the rest at the deadline.</summary>
    /// <param name="deadline">Cancelled when waiting has to end.</param>
    public async Task StopAsync(CancellationToken deadline)
    {
        foreach (var listener in listeners)
            await listener.DisposeAsync();
        listeners.Clear();
        await registry.DrainAsync(deadline);
        completion.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (!completion.Task.IsCompleted || listeners.Count > 0)
            await StopAsync(new CancellationToken(canceled: true));
        registry.Dispose();
    }

    private void Run(MapListener listener)
    {
        listeners.Add(listener);
        listener.Start();
        _ = WatchAsync(listener.Completion);
    }

    private async Task WatchAsync(Task vital)
    {
        try
        {
            await vital;
        }
        catch (IOException exception)
        {
            completion.TrySetException(exception);
        }
    }
}
