using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>One listening socket and the loop that accepts from it.</summary>
internal sealed class MapListener : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // An error that names the client but comes back this often in a row is not the client's.
    private const int ClientFaultsInARow = 100;

    // The kernel doubles it for its own accounts (socket(7), SO_SNDBUF): the longest reply fits.
    private const int KernelReplies = 128 * 1024;

    // While clients wait, accepting never waits; whoever floods one listener must leave the thread to the others.
    private const int AcceptsInARow = 16;

    private readonly Func<CancellationToken, ValueTask<Socket>> accept;
    private readonly Action close;
    private readonly ConnectionRegistry registry;
    private readonly ListenerRoom room;
    private readonly LookupCounters counters;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private readonly LogGate pauseLog;

    // When the file of a unix socket was made.
    private readonly DateTime fileMadeAt;
    private bool pauseLogged;
    private Task completion = Task.CompletedTask;

    internal MapListener(
        MapEndpoint endpoint, string name, Func<CancellationToken, ValueTask<Socket>> accept, Action close,
        ConnectionRegistry registry, LookupCounters counters, ILogger logger, TimeProvider time)
    {
        Endpoint = endpoint;
        Name = name;
        this.accept = accept;
        this.close = close;
        this.registry = registry;
        room = registry.OpenRoom(endpoint);
        fileMadeAt = endpoint.Path is { } path ? UnixSocketFile.MadeAt(path) : default;
        this.counters = counters;
        this.logger = logger;
        this.time = time;
        pauseLog = new LogGate(time);
    }

    /// <summary>The endpoint as configured.</summary>
    public MapEndpoint Endpoint { get; }

    public MapProtocol Protocol => Endpoint.Protocol;

    /// <summary>True for a socket that systemd handed over and owns.</summary>
    public bool IsInherited { get; private init; }

    /// <summary>True where the file of the unix socket was removed, so that no client finds it.</summary>
    public bool HasLostItsFile => Endpoint.Path is { } path && !UnixSocketFile.IsInPlace(path, fileMadeAt);

    /// <summary>The endpoint, with the port that the kernel chose.</summary>
    public string Name { get; }

    /// <summary>Ends when the listener is disposed; faults when it cannot accept any more.</summary>
    public Task Completion => completion;

    /// <summary>Binds and listens; no connection is accepted before <see cref="Start"/>.</summary>
    /// <exception cref="IOException">The endpoint is taken or cannot be bound.</exception>
    public static MapListener Open(
        MapEndpoint endpoint, LookupOptions options, ConnectionRegistry registry, LookupCounters counters, ILogger logger, TimeProvider time)
    {
        if (endpoint.Path is { } path)
        {
            var unix = UnixSocketFile.Listen(path, options.SocketMode, options.Backlog);
            return new(endpoint, endpoint.Text, unix.AcceptAsync, () => CloseUnix(unix, path, logger), registry, counters, logger, time);
        }

        var socket = ListenInet(endpoint, options.Backlog);
        var name = endpoint.BoundTo((IPEndPoint)socket.LocalEndPoint!).Text;
        return new(endpoint, name, socket.AcceptAsync, socket.Dispose, registry, counters, logger, time);
    }

    /// <summary>Takes over a socket that listens already, as systemd hands it over; its file is systemd's.</summary>
    /// <remarks>
    /// It is not closed, for closing in .NET may shut it down, and that would reach every process which shares it: clients that
    /// wait to be accepted by the next daemon would be turned away. The process's end closes our descriptor alone.
    /// </remarks>
    public static MapListener Inherit(
        Socket socket, MapEndpoint endpoint, ConnectionRegistry registry, LookupCounters counters, ILogger logger, TimeProvider time) =>
        new(endpoint, $"{endpoint.Text} (handed over)", Bound(socket).AcceptAsync, () => { }, registry, counters, logger, time) { IsInherited = true };

    /// <summary>True when nothing needs to be bound for this endpoint.</summary>
    public bool Serves(MapEndpoint endpoint) =>
        Endpoint == endpoint || (IsInherited && Endpoint.Protocol == endpoint.Protocol && Endpoint.Overlaps(endpoint));

    public void Start()
    {
        completion = AcceptLoopAsync(stopping.Token);
        logger.Listening(Protocol.Name(), Name);
    }

    /// <summary>Stops accepting and closes the socket; connections live on.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        close();
        // A fault was reported where Completion is watched; here it is only waited for.
        await completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        registry.CloseRoom(room);
        stopping.Dispose();
        logger.ListenerStopped(Protocol.Name(), Name);
    }

    private async Task AcceptLoopAsync(CancellationToken stop)
    {
        var pause = TimeSpan.Zero;
        var clientFaults = 0;
        for (var turns = 1; !stop.IsCancellationRequested; turns++)
        {
            if (turns % AcceptsInARow == 0)
                await Task.Yield();
            try
            {
                var socket = await accept(stop);
                if (pauseLogged)
                    logger.AcceptResumed(Name);
                pauseLogged = false;
                pause = TimeSpan.Zero;
                clientFaults = 0;
                Admit(socket);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                counters.AcceptFailed();
                var fault = AcceptFaults.Classify(exception);
                if (fault == AcceptFault.Listener)
                {
                    logger.ListenerLost(Name, exception.Message);
                    throw new IOException($"cannot accept connections on {Name} any more: {exception.Message}", exception);
                }

                if (fault == AcceptFault.Client && ++clientFaults < ClientFaultsInARow)
                {
                    logger.AcceptSkipped(Name, exception.Message);
                    continue;
                }

                pause = NextPause(pause);
                // At the edge of the limit pauses and successes alternate; the journal need not follow each.
                if (pauseLog.TryPass(out var suppressed))
                {
                    logger.AcceptPaused(Name, exception.Message, pause, suppressed);
                    pauseLogged = true;
                }

                await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    internal static TimeSpan NextPause(TimeSpan pause) =>
        pause == TimeSpan.Zero ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;

    [SuppressMessage("Design", "CA1031", Justification = "One peer's socket that cannot be set up must not end the listener.")]
    private void Admit(Socket socket)
    {
        try
        {
            registry.Admit(() => registry.Open(socket), socket.Dispose, room);
        }
        catch (Exception exception)
        {
            socket.Dispose();
            logger.AcceptSkipped(Name, exception.Message);
        }
    }

    private static Socket ListenInet(MapEndpoint endpoint, int backlog)
    {
        var address = endpoint.Address!;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = endpoint.IsAnyAddress;
            // SO_REUSEADDR, so that a restart does not wait for old connections; .NET sets it for bind on Unix by itself.
            socket.Bind(address);
            socket.Listen(backlog);
            return Bound(socket);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {endpoint.Text}: {exception.Message}", exception);
        }
    }

    /// <summary>Sets the send buffer of the listening socket, which accepted sockets inherit: the kernel would keep megabytes for a peer that does not read.</summary>
    private static Socket Bound(Socket listener)
    {
        if (listener.AddressFamily != AddressFamily.Unix)
            listener.SendBufferSize = KernelReplies;
        return listener;
    }

    private static void CloseUnix(Socket socket, string path, ILogger logger)
    {
        socket.Dispose();
        try
        {
            UnixSocketFile.Remove(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.SocketFileKept(path, exception.Message);
        }
    }
}
