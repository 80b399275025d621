using System.Data.Common;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Follows a store by the end of its audit log, in which every change has a row: one statement a poll, on any server, through any pool.</summary>
internal sealed class PostgreSqlWatch(StoreSession session) : StoreWatch(session)
{
    private const int PollSeconds = 5;

    private Position? last;

    internal override StoreMovement Poll()
    {
        Position? now;
        var connection = (PostgreSqlConnection)Session.Connection;
        var usual = connection.CommandSeconds;
        // A machine that is gone says nothing; another one may have taken over long ago.
        connection.CommandSeconds = PollSeconds;
        try
        {
            now = Session.Connection.QueryFirstOrDefault<Position>(
                "SELECT s.store_id, h.sequence, h.hash, s.moved_to FROM store s LEFT JOIN audit_head h ON h.id = 1 WHERE s.id = 1");
        }
        catch (DbException error)
        {
            // The server ended the connection, as over a restart or a failover: another one tells whether it is there.
            return Session.IsReplaced ? StoreMovement.Disturbed : throw Session.FaultOf(error);
        }
        finally
        {
            connection.CommandSeconds = usual;
        }

        if (now?.StoreId != Session.StoreId)
            return StoreMovement.Replaced;
        if (now == last)
            return StoreMovement.None;
        last = now;
        return StoreMovement.Committed;
    }

    internal override void WasRead()
    {
    }

    internal override void Supersede() => Session.Dispose();

    internal override void Abandon() => Session.Dispose();

    internal sealed record Position(string StoreId, long? Sequence, string? Hash, string? MovedTo);
}
