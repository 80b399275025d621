using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening.Readiness;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>Every open connection: counts them, bounds them, ends the late ones, drains them at the end.</summary>
internal sealed class ConnectionRegistry : IDisposable
{
    private readonly Lock sync = new();
    private readonly HashSet<MapConnection> connections = [];
    private readonly ListenerRooms rooms;
    private readonly LookupService service;
    private readonly LookupOptions options;
    private readonly int limit;
    private readonly ILogger logger;
    private readonly ConnectionContext context;
    private readonly DeadlineSweep deadlines;
    private readonly LogGate limitLog;
    private readonly LogGate timeoutLog;
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReadinessLoop loop = new();
    private bool draining;

    public ConnectionRegistry(LookupService service, LookupOptions options, ILogger logger, TimeProvider time)
    {
        this.service = service;
        this.options = options;
        limit = DescriptorLimit.Connections(options.MaxConnections);
        rooms = new ListenerRooms(limit);
        this.logger = logger;
        var shortest = options.RequestTimeout < options.ReplyTimeout ? options.RequestTimeout : options.ReplyTimeout;
        deadlines = new DeadlineSweep(time, shortest / 4, Sweep);
        limitLog = new LogGate(time);
        timeoutLog = new LogGate(time);
        context = new ConnectionContext(logger, time, deadlines, new LogGate(time));
    }

    /// <summary>Connections held at the same time: as configured, or fewer where the process has too few descriptors.</summary>
    public int Limit => limit;

    public int Count
    {
        get
        {
            lock (sync)
                return connections.Count;
        }
    }

    /// <summary>Faults when nothing can be read or written any more, and the process should end.</summary>
    public Task LoopCompletion => loop.Completion;

    /// <summary>Makes room for a listener's connections.</summary>
    public ListenerRoom OpenRoom(MapEndpoint endpoint)
    {
        lock (sync)
            return rooms.Open(endpoint);
    }

    /// <summary>The listener is gone; its connections live on.</summary>
    public void CloseRoom(ListenerRoom room)
    {
        lock (sync)
            rooms.Close(room);
    }

    /// <summary>Takes over an accepted socket.</summary>
    public IConnectionTransport Open(Socket socket) => new ReadinessTransport(loop, socket);

    /// <summary>Serves a new peer, or closes it when nobody can make way.</summary>
    public void Admit(Func<IConnectionTransport> open, Action refuse, ListenerRoom room)
    {
        if (!TryMakeWay(room))
        {
            service.Counters.ConnectionRefused();
            refuse();
            return;
        }

        var connection = new MapConnection(open(), room, service, context);
        bool leave;
        lock (sync)
        {
            connections.Add(connection);
            rooms.Enter(room);
            leave = draining;
        }

        service.Counters.ConnectionOpened();
        logger.ConnectionOpened(connection.Protocol.Name(), service.Counters.ConnectionsOpen);
        _ = RunAsync(connection);
        if (leave)
            connection.Leave();
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

    private async Task RunAsync(MapConnection connection)
    {
        await connection.RunAsync();
        service.Counters.ConnectionClosed();
        lock (sync)
        {
            connections.Remove(connection);
            rooms.Leave(connection.Room);
            if (draining && connections.Count == 0)
                drained.TrySetResult();
        }
    }

    private bool TryMakeWay(ListenerRoom room)
    {
        MakingWay? first = null;
        lock (sync)
        {
            if (rooms.HasPlace(room))
                return true;

            // Linear, and at the limit only.
            foreach (var connection in connections)
            {
                if (ListenerRooms.CanGive(connection.Room, room) && MakingWay.Of(connection, context.Time) is { } next && next.IsBefore(first))
                    first = next;
            }
        }

        if (limitLog.TryPass(out var suppressed))
            logger.ConnectionLimit(room.Endpoint.Text, room.Held, limit, suppressed);
        if (first is not { } found)
            return false;
        service.Counters.ConnectionEvicted();
        found.End();
        return true;
    }

    private bool Sweep()
    {
        MapConnection[] busy;
        lock (sync)
            busy = [.. connections.Where(connection => connection.RequestSince != 0 || connection.ReplySince != 0)];
        var remaining = false;
        foreach (var connection in busy)
        {
            if (IsLate(connection.RequestSince, options.RequestTimeout))
                TimeOut(connection, "a request", options.RequestTimeout);
            else if (IsLate(connection.ReplySince, options.ReplyTimeout))
                TimeOut(connection, "taking a reply", options.ReplyTimeout);
            else
                remaining = true;
        }

        return remaining;
    }

    private bool IsLate(long since, TimeSpan limit) => since != 0 && context.Time.GetElapsedTime(since) >= limit;

    private void TimeOut(MapConnection connection, string what, TimeSpan limit)
    {
        service.Counters.TimedOut();
        if (timeoutLog.TryPass(out var suppressed))
            logger.ConnectionTimedOut(connection.Protocol.Name(), what, limit, suppressed);
        connection.Abort(isTimeout: true);
    }
}
