using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening.Readiness;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>One listening socket, and how clients are accepted from it: on the thread that answers them.</summary>
internal sealed class MapListener : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // An error that names the client but comes back this often in a row is not the client's.
    private const int ClientFaultsInARow = 100;

    // The kernel doubles it for its own accounts (socket(7), SO_SNDBUF): the longest reply fits.
    private const int KernelReplies = 128 * 1024;

    // Whoever floods one listener must leave the thread to the others, and to those who ask.
    private const int AcceptsPerTurn = 16;

    private readonly IListeningSocket socket;
    private readonly ConnectionRegistry registry;
    private readonly ListenerRoom room;
    private readonly LookupCounters counters;
    private readonly ILogger logger;
    private readonly Lock sync = new();
    private readonly ITimer pauseTimer;
    private readonly LogGate pauseLog;
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // When the file of a unix socket was made.
    private readonly DateTime fileMadeAt;
    private TimeSpan pause;
    private int clientFaults;
    private bool pauseLogged;
    private bool stopped;

    internal MapListener(
        MapEndpoint endpoint, string name, IListeningSocket socket, ConnectionRegistry registry, LookupCounters counters, ILogger logger,
        TimeProvider time)
    {
        Endpoint = endpoint;
        Name = name;
        this.socket = socket;
        this.registry = registry;
        room = registry.OpenRoom(endpoint);
        fileMadeAt = endpoint.Path is { } path ? UnixSocketFile.MadeAt(path) : default;
        this.counters = counters;
        this.logger = logger;
        pauseTimer = time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
    public Task Completion => completion.Task;

    /// <summary>Binds and listens; no connection is accepted before <see cref="Start"/>.</summary>
    /// <exception cref="IOException">The endpoint is taken or cannot be bound.</exception>
    public static MapListener Open(
        MapEndpoint endpoint, LookupOptions options, ConnectionRegistry registry, LookupCounters counters, ILogger logger, TimeProvider time)
    {
        if (endpoint.Path is { } path)
        {
            var unix = UnixSocketFile.Listen(path, options.SocketMode, options.Backlog);
            return new(endpoint, endpoint.Text, registry.Listen(unix, socket => CloseUnix(socket, path, logger)), registry, counters, logger, time);
        }

        var inet = ListenInet(endpoint, options.Backlog);
        var name = endpoint.BoundTo((IPEndPoint)inet.LocalEndPoint!).Text;
        return new(endpoint, name, registry.Listen(inet, socket => socket.Dispose()), registry, counters, logger, time);
    }

    /// <summary>Takes over a socket that listens already, as systemd hands it over; its file is systemd's.</summary>
    /// <remarks>
    /// It is not closed, for closing in .NET may shut it down, and that would reach every process which shares it: clients that
    /// wait to be accepted by the next daemon would be turned away. The process's end closes our descriptor alone.
    /// </remarks>
    public static MapListener Inherit(
        Socket socket, MapEndpoint endpoint, ConnectionRegistry registry, LookupCounters counters, ILogger logger, TimeProvider time) =>
        new(endpoint, $"{endpoint.Text} (handed over)", registry.Listen(ForReplies(socket), _ => { }), registry, counters, logger, time) { IsInherited = true };

    /// <summary>True when nothing needs to be bound for this endpoint.</summary>
    public bool Serves(MapEndpoint endpoint) =>
        Endpoint == endpoint || (IsInherited && Endpoint.Protocol == endpoint.Protocol && Endpoint.Overlaps(endpoint));

    public void Start()
    {
        Watch();
        logger.Listening(Protocol.Name(), Name);
    }

    /// <summary>Stops accepting and closes the socket; connections live on.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (sync)
        {
            if (!stopped)
                socket.Unwatch();
            stopped = true;
        }

        await pauseTimer.DisposeAsync();
        socket.Close();
        completion.TrySetResult();
        registry.CloseRoom(room);
        logger.ListenerStopped(Protocol.Name(), Name);
    }

    internal static TimeSpan NextPause(TimeSpan pause) =>
        pause == TimeSpan.Zero ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;

    private void Watch()
    {
        lock (sync)
        {
            if (stopped)
                return;
            try
            {
                socket.Watch(Accept);
            }
            catch (IOException exception)
            {
                Lose(exception.Message);
            }
        }
    }

    /// <summary>Called on the thread that serves the connections, while clients wait.</summary>
    private void Accept()
    {
        lock (sync)
        {
            for (var count = 0; count < AcceptsPerTurn && !stopped; count++)
            {
                var error = socket.Accept(out var descriptor);
                if (error == SystemError.None)
                    Accepted(descriptor);
                else if (error == SystemError.TryAgain || !GoesOnAfter(error))
                    return;
            }
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "One peer's socket that cannot be set up must not end the listener.")]
    private void Accepted(int descriptor)
    {
        if (pauseLogged)
            logger.AcceptResumed(Name);
        pauseLogged = false;
        pause = TimeSpan.Zero;
        clientFaults = 0;
        try
        {
            registry.Admit(descriptor, room);
        }
        catch (Exception exception)
        {
            logger.AcceptSkipped(Name, exception.Message);
        }
    }

    /// <returns>True where the next client can be taken at once.</returns>
    private bool GoesOnAfter(SystemError error)
    {
        counters.AcceptFailed();
        var reason = new Win32Exception((int)error).Message;
        var fault = AcceptFaults.Classify(error);
        if (fault == AcceptFault.Listener)
        {
            Lose(reason);
            return false;
        }

        if (fault == AcceptFault.Client && ++clientFaults < ClientFaultsInARow)
        {
            logger.AcceptSkipped(Name, reason);
            return true;
        }

        pause = NextPause(pause);
        // At the edge of the limit pauses and successes alternate; the journal need not follow each.
        if (pauseLog.TryPass(out var suppressed))
        {
            logger.AcceptPaused(Name, reason, pause, suppressed);
            pauseLogged = true;
        }

        socket.Unwatch();
        pauseTimer.Change(pause, Timeout.InfiniteTimeSpan);
        return false;
    }

    private void Lose(string reason)
    {
        socket.Unwatch();
        stopped = true;
        logger.ListenerLost(Name, reason);
        completion.TrySetException(new IOException($"cannot accept connections on {Name} any more: {reason}"));
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
            return ForReplies(socket);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {endpoint.Text}: {exception.Message}", exception);
        }
    }

    /// <summary>Sets what accepted sockets inherit (Linux): replies leave at once, and the kernel does not keep megabytes for a peer that does not read.</summary>
    private static Socket ForReplies(Socket listener)
    {
        if (listener.AddressFamily == AddressFamily.Unix)
            return listener;
        listener.SendBufferSize = KernelReplies;
        listener.NoDelay = true;
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
