using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup;

/// <summary>The listeners of a daemon and their connections.</summary>
/// <remarks>Start, any number of Apply and Restore, Stop.</remarks>
public sealed class LookupServer : IAsyncDisposable
{
    private readonly LookupService service;
    private readonly LookupOptions options;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly ConnectionRegistry registry;
    private readonly SemaphoreSlim changing = new(1);
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Replaced whole, so that whoever reads it needs no lock.
    private volatile IReadOnlyList<MapListener> listeners = [];
    private readonly HashSet<MapEndpoint> saidLost = [];

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

    /// <summary>Why no connection could be held in this process, and what to do; null where all is well.</summary>
    public static string? Refusal => DescriptorLimit.Refusal();

    /// <summary>Ends after <see cref="StopAsync"/>; faults when a listener cannot accept any more, and the process should end.</summary>
    public Task Completion => completion.Task;

    /// <summary>Where lookups are answered now, with the ports that the kernel chose.</summary>
    public IReadOnlyList<string> Listening => [.. listeners.Select(listener => listener.Name)];

    /// <summary>The endpoints in use, each with its protocol in front: <c>socketmap inet:127.0.0.1:8461</c>.</summary>
    public IReadOnlyList<string> Serving => [.. listeners.Select(listener => $"{listener.Protocol.Name()} {listener.Name}")];

    /// <summary>True once after many connections, or much memory that was kept for slow peers, are gone, so that a garbage collection is worth its time.</summary>
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
        using var turn = await TurnAsync();
        var opened = new List<MapListener>();
        try
        {
            foreach (var endpoint in endpoints)
            {
                if (!listeners.Any(listener => listener.Serves(endpoint)))
                    opened.Add(Open(endpoint));
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
        foreach (var gone in listeners.Where(listener => !listener.IsInherited && !endpoints.Contains(listener.Endpoint)))
            await CloseAsync(gone);
    }

    /// <summary>Makes unix sockets anew whose files were removed; their connections stay.</summary>
    public async Task RestoreAsync()
    {
        using var turn = await TurnAsync();
        foreach (var lost in listeners.Where(listener => listener.HasLostItsFile))
        {
            try
            {
                if (lost.IsInherited)
                    throw new IOException("systemd holds it: systemctl restart policyd.socket");
                Run(Open(lost.Endpoint));
                await CloseAsync(lost);
                saidLost.Remove(lost.Endpoint);
                logger.SocketFileRestored(lost.Endpoint.Text);
            }
            catch (IOException exception)
            {
                // Said once, not at every attempt.
                if (saidLost.Add(lost.Endpoint))
                    logger.SocketFileLost(lost.Endpoint.Text, exception.Message);
            }
        }
    }

    /// <summary>Stops accepting, lets replies under way be completed, closes idle connections at once and the rest at the deadline.</summary>
    /// <param name="deadline">Cancelled when waiting has to end.</param>
    public async Task StopAsync(CancellationToken deadline)
    {
        using (await TurnAsync())
        {
            foreach (var listener in listeners)
                await CloseAsync(listener);
        }

        await registry.DrainAsync(deadline);
        completion.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (!completion.Task.IsCompleted || listeners.Count > 0)
            await StopAsync(new CancellationToken(canceled: true));
        registry.Dispose();
        changing.Dispose();
    }

    private MapListener Open(MapEndpoint endpoint) => MapListener.Open(endpoint, options, registry, service.Counters, logger, time);

    private void Run(MapListener listener)
    {
        listeners = [.. listeners, listener];
        listener.Start();
        _ = WatchAsync(listener.Completion);
    }

    private async Task CloseAsync(MapListener listener)
    {
        listeners = [.. listeners.Where(other => other != listener)];
        await listener.DisposeAsync();
    }

    private async Task<Turn> TurnAsync()
    {
        await changing.WaitAsync();
        return new Turn(changing);
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

    private readonly struct Turn(SemaphoreSlim changing) : IDisposable
    {
        public void Dispose() => changing.Release();
    }
}
