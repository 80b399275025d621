using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening.Readiness;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>The open connections: counts and bounds them, ends late ones, and drains them on stop.</summary>
internal sealed class ConnectionRegistry : IDisposable
{
    /// <summary>The number of connections at one time that leave megabytes of garbage behind.</summary>
    private const int Crowd = 500;

    /// <summary>The number of connections, one after the other, that do so, too.</summary>
    private const int Passers = 5000;

    private readonly Lock sync = new();
    private readonly HashSet<MapConnection> connections = [];
    private readonly ListenerRooms rooms;
    private readonly LookupService service;
    private readonly LookupOptions options;
    private readonly int limit;

    // With those that have been ended and are still open.
    private readonly int mostWithEnded;
    private readonly ILogger logger;
    private readonly ConnectionContext context;
    private readonly DeadlineSweep deadlines;
    private readonly LogGate limitLog;
    private readonly LogGate timeoutLog;
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReadinessLoop loop = new();
    private int most;
    private int passed;
    private bool relieved;
    private bool draining;

    public ConnectionRegistry(LookupService service, LookupOptions options, ILogger logger, TimeProvider time)
    {
        this.service = service;
        this.options = options;
        limit = DescriptorLimit.Connections(options.MaxConnections);
        mostWithEnded = DescriptorLimit.Connections(2 * options.MaxConnections);
        rooms = new ListenerRooms(limit);
        this.logger = logger;
        var shortest = options.RequestTimeout < options.ReplyTimeout ? options.RequestTimeout : options.ReplyTimeout;
        deadlines = new DeadlineSweep(time, shortest / 4, Sweep);
        limitLog = new LogGate(time);
        timeoutLog = new LogGate(time);
        context = new ConnectionContext(logger, time, deadlines, new PeerMemory(options.MaxPeerMemory, Relieve), new LogGate(time), Ended);
    }

    /// <summary>The most connections at one time: as configured, or fewer where the process has too few descriptors.</summary>
    public int Limit => limit;

    /// <summary>Faults when nothing can be read or written any more, and the process should end.</summary>
    public Task LoopCompletion => loop.Completion;

    /// <summary>Makes room for a listener's connections.</summary>
    public ListenerRoom OpenRoom(MapEndpoint endpoint)
    {
        lock (sync)
            return rooms.Open(endpoint);
    }

    /// <summary>Ends a listener's part of the connections; those that are open stay.</summary>
    public void CloseRoom(ListenerRoom room)
    {
        lock (sync)
            rooms.Close(room);
    }

    /// <summary>Has a socket's clients reported to the listener on the thread that serves them.</summary>
    public IListeningSocket Listen(Socket socket, Action<Socket> close) => new ListeningSocket(loop, socket, close);

    /// <summary>Serves a new peer, or closes its socket when nobody can make way. On the loop's thread.</summary>
    /// <exception cref="IOException">The kernel refuses to watch the socket, which is closed.</exception>
    public void Admit(int descriptor, ListenerRoom room)
    {
        if (!TryMakeWay(room))
        {
            _ = NativeMethods.Close(descriptor);
            return;
        }

        ReadinessTransport transport;
        try
        {
            transport = new ReadinessTransport(loop, descriptor);
        }
        catch
        {
            _ = NativeMethods.Close(descriptor);
            throw;
        }

        Serve(transport, room);
    }

    /// <summary>True where there is room for a new peer, after somebody else made way where it was needed.</summary>
    /// <remarks>Whose place was taken is open until its end has run its course, which on a busy machine takes longer than the next peer to come.
    /// It counts in no listener's part any more, only in the number of all that are open, which the descriptors bound.</remarks>
    public bool TryMakeWay(ListenerRoom room)
    {
        MakingWay? first = null;
        int held;
        lock (sync)
        {
            var isFull = connections.Count >= mostWithEnded - rooms.KeptFrom(room);
            if (!isFull && rooms.HasPlace(room))
                return true;

            // Linear, and at the limit only.
            foreach (var connection in isFull ? [] : connections)
            {
                if (ListenerRooms.CanGive(connection.Room, room) && MakingWay.Of(connection, context.Time) is { } next && next.IsBefore(first))
                    first = next;
            }

            held = room.Held;
            if (first is { } giver)
                GiveUp(giver.Connection);
        }

        if (limitLog.TryPass(out var suppressed))
            logger.ConnectionLimit(room.Endpoint.Text, held, limit, suppressed);
        if (first is not { } found)
        {
            service.Counters.ConnectionRefused();
            return false;
        }

        service.Counters.ConnectionEvicted();
        found.End();
        return true;
    }

    /// <summary>Serves a new peer.</summary>
    public void Serve(IConnectionTransport transport, ListenerRoom room)
    {
        var connection = new MapConnection(transport, room, service, context);
        bool leave;
        lock (sync)
        {
            connections.Add(connection);
            most = Math.Max(most, connections.Count);
            rooms.Enter(room);
            leave = draining;
        }

        service.Counters.ConnectionOpened();
        logger.ConnectionOpened(connection.Protocol.Name(), service.Counters.ConnectionsOpen);
        _ = connection.RunAsync();
        if (leave)
            connection.Leave();
    }

    /// <summary>True once after a crowd of connections, many short ones, or the need to end some for the sake of memory, are over.</summary>
    public bool TakeRelief()
    {
        lock (sync)
        {
            var isCrowdGone = most >= Crowd && connections.Count <= most / 4;
            if (!isCrowdGone && passed < Passers && (!relieved || context.Memory.Held > options.MaxPeerMemory / 4))
                return false;
            (most, passed, relieved) = (connections.Count, 0, false);
            return true;
        }
    }

    /// <summary>Lets every connection finish what is under way; closes what has not ended when the token is cancelled.</summary>
    public async Task DrainAsync(CancellationToken deadline)
    {
        MapConnection[] all;
        lock (sync)
        {
            draining = true;
            all = [.. connections];
            if (all.Length == 0)
                drained.TrySetResult();
        }

        foreach (var connection in all)
            connection.Leave();
        try
        {
            await drained.Task.WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            lock (sync)
                all = [.. connections];
            if (all.Length > 0)
                logger.DrainIncomplete(all.Length);
            foreach (var connection in all)
                connection.Abort(isTimeout: false);
            await drained.Task;
        }
    }

    public void Dispose()
    {
        deadlines.Dispose();
        loop.Dispose();
    }

    private void Ended(MapConnection connection)
    {
        service.Counters.ConnectionClosed();
        lock (sync)
        {
            connections.Remove(connection);
            passed++;
            GiveUp(connection);
            if (draining && connections.Count == 0)
                drained.TrySetResult();
        }
    }

    // Under the lock.
    private void GiveUp(MapConnection connection)
    {
        if (!connection.HasPlace)
            return;
        connection.HasPlace = false;
        rooms.Leave(connection.Room);
    }

    private bool Sweep()
    {
        MapConnection[] busy;
        lock (sync)
            busy = [.. connections.Where(connection => connection.WaitsSince != 0)];
        var remaining = false;
        foreach (var connection in busy)
        {
            var limit = connection.ReplySince != 0 ? options.ReplyTimeout : options.RequestTimeout;
            if (connection.WaitsSince is not 0 and var since && context.Time.GetElapsedTime(since) >= limit)
                End(connection, $"within {limit.TotalSeconds:F0} s");
            else
                remaining = true;
        }

        return remaining;
    }

    /// <summary>Ends the connections whose peers have been waited for longest, until so many octets are free.</summary>
    private void Relieve(long octets)
    {
        MapConnection[] waiting;
        lock (sync)
        {
            relieved = true;
            waiting = [.. connections.Where(connection => connection is { Held: > 0, IsLeaving: false }).OrderBy(connection => connection.WaitsSince)];
        }

        foreach (var connection in waiting.TakeWhile(_ => octets > 0))
        {
            octets -= connection.Held;
            End(connection, "before the memory for all such peers was used up");
        }
    }

    private void End(MapConnection connection, string limit)
    {
        service.Counters.TimedOut();
        if (timeoutLog.TryPass(out var suppressed))
            logger.PeerKeptWaiting(connection.Protocol.Name(), connection.ReplySince != 0 ? "take its reply" : "send its whole request", limit, suppressed);
        lock (sync)
            GiveUp(connection);
        connection.Abort(isTimeout: true);
    }
}
