using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>A connection's place among those that make way for a new peer at the limit: no local process may lock everybody else out.</summary>
/// <remarks>
/// First whose request or reply has stood still, the longest first; then who never asked, the oldest first, so that a client which is
/// about to ask is the last of them; then who asked and is idle, the longest first, tcp_table after socketmap: Postfix reconnects to a socketmap
/// at once and sleeps a second over a tcp_table (dict_tcp.c). A peer that asked before stays while its next request arrives or is answered.
/// </remarks>
internal readonly record struct MakingWay
{
    // Postfix writes a request at once and reads its reply at once. Who wants to be spared by beginning one request after the other has to be
    // busy with all its connections ten times a second.
    private static readonly TimeSpan StandsStill = TimeSpan.FromMilliseconds(100);

    private readonly Order order;
    private readonly long since;
    private readonly bool isIdle;

    private MakingWay(MapConnection connection, Order order, long since, bool isIdle)
    {
        Connection = connection;
        this.order = order;
        this.since = since;
        this.isIdle = isIdle;
    }

    public MapConnection Connection { get; }

    private enum Order
    {
        StandsStill,
        NeverAsked,
        IdleSocketmap,
        IdleTcpTable,
    }

    /// <returns>The place; null where the connection stays.</returns>
    public static MakingWay? Of(MapConnection connection, TimeProvider time)
    {
        if (connection.IsLeaving)
            return null;
        var waits = connection.WaitsSince;
        if (waits != 0 && time.GetElapsedTime(waits) >= StandsStill)
            return new(connection, Order.StandsStill, waits, isIdle: false);
        if (!connection.HasAsked)
            return new(connection, Order.NeverAsked, connection.LastActivity, waits == 0);
        if (waits != 0)
            return null;
        return new(connection, connection.Protocol == MapProtocol.TcpTable ? Order.IdleTcpTable : Order.IdleSocketmap, connection.LastActivity, isIdle: true);
    }

    public bool IsBefore(MakingWay? other) => other is not { } than || order < than.order || (order == than.order && since < than.since);

    /// <summary>Ends the connection: an idle one in an orderly way, so that a request which arrives now is still answered.</summary>
    public void End()
    {
        if (isIdle)
            Connection.Leave();
        else
            Connection.Abort(isTimeout: true);
    }
}
