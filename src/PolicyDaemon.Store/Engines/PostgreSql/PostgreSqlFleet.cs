using System.Data.Common;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>The tables of several daemons over one store. Each statement reads the server's clock itself, behind the lock of the row that it
/// compares with it.</summary>
/// <remarks>No lock outlives its transaction, so that a pool which hands connections out by transaction may stand in between.</remarks>
internal sealed class PostgreSqlFleet : FleetTables
{
    private const string Clock = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

    // A machine that is gone says nothing; the lease is to be renewed on another connection within what it is trusted for.
    private const int CommandSeconds = 4;

    // What died holds an address for no longer than its claim; the row is swept a while after.
    private const long ClaimMemory = 60_000;

    private readonly PostgreSqlSession session;
    private readonly DbConnection connection;

    internal PostgreSqlFleet(PostgreSqlSession session)
    {
        this.session = session;
        connection = session.Connection;
        ((PostgreSqlConnection)connection).CommandSeconds = CommandSeconds;
    }

    internal override long ReadClock() => session.Guard(() => connection.ExecuteScalar<long>("SELECT " + Clock));

    internal override void Beat(NodeRow node) => session.Guard(() =>
    {
        connection.Execute(
            """
            INSERT INTO node (name, instance, version, schema, vantage, probes, digest, sequence, ahead, seen)
            VALUES (@Name, @Instance, @Version, @schema, @Vantage, @Probes, @Digest, @Sequence, @Ahead,
            """ + Clock +
            """
            )
            ON CONFLICT (name) DO UPDATE SET instance = excluded.instance, version = excluded.version, schema = excluded.schema, vantage = excluded.vantage, probes = excluded.probes,
                digest = excluded.digest, sequence = excluded.sequence, ahead = excluded.ahead, seen = excluded.seen
            """,
            new { node.Name, node.Instance, node.Version, schema = PostgreSqlSchema.Newest, node.Vantage, node.Probes, node.Digest, node.Sequence, node.Ahead });
    });

    internal override IReadOnlyList<NodeRow> ReadNodes() => session.Guard(() => connection.Query<NodeRow>(
        "SELECT name, instance, version, vantage, probes, digest, sequence, ahead, seen FROM node ORDER BY name").ToList());

    internal override bool RemoveNode(string name) => session.Guard(() => connection.Execute("DELETE FROM node WHERE name = @name", new { name }) > 0);

    internal override LeaseRow? ReadLease(string vantage) => session.Guard(() => connection.QueryFirstOrDefault<LeaseRow>(
        "SELECT holder, instance, epoch, expires - " + Clock + " AS \"left\" FROM probe_lease WHERE vantage = @vantage", new { vantage }));

    internal override long CountProbers(string vantage, TimeSpan staleAfter) => session.Guard(() => connection.ExecuteScalar<long>(
        "SELECT count(*) FROM node WHERE vantage = @vantage AND probes = 1 AND seen > " + Clock + " - @stale", new { vantage, stale = (long)staleAfter.TotalMilliseconds }));

    // Asked of the privileges: a statement that is refused stands in the server's log as an error.
    internal override string? LeaseRefusal() => session.Guard(() => connection.ExecuteScalar<long>(
        "SELECT CAST(CASE WHEN has_table_privilege('probe_lease', 'INSERT') AND has_table_privilege('probe_lease', 'UPDATE') THEN 1 ELSE 0 END AS BIGINT)")) == 1
        ? null
        : session.User.MayNotProbe();

    internal override long? TakeLease(string vantage, string node, string instance, TimeSpan term) => session.Guard(() => connection.ExecuteScalar<long?>(
        "INSERT INTO probe_lease (vantage, holder, instance, epoch, expires) VALUES (@vantage, @node, @instance, 1, " + Clock +
        """
         + @term)
        ON CONFLICT (vantage) DO UPDATE SET holder = excluded.holder, instance = excluded.instance, epoch = probe_lease.epoch + 1, expires =
        """ + " " + Clock + " + @term WHERE probe_lease.instance = excluded.instance OR probe_lease.expires <= " + Clock + " RETURNING epoch",
        new { vantage, node, instance, term = (long)term.TotalMilliseconds }));

    internal override bool RenewLease(LeaseToken token, TimeSpan term) => session.Guard(() => connection.Execute(
        "UPDATE probe_lease SET expires = " + Clock + " + @term WHERE vantage = @Vantage AND instance = @Instance AND epoch = @Epoch",
        new { token.Vantage, token.Instance, token.Epoch, term = (long)term.TotalMilliseconds }) > 0);

    internal override void ReleaseLease(LeaseToken token) => session.Guard(() =>
    {
        connection.Execute(
            "UPDATE probe_lease SET expires = " + Clock + " WHERE vantage = @Vantage AND instance = @Instance AND epoch = @Epoch",
            new { token.Vantage, token.Instance, token.Epoch });
    });

    internal override IReadOnlyList<string> Claim(
        string holder, IReadOnlyCollection<string> released, IReadOnlyCollection<string> wanted, TimeSpan term) => Together(() =>
    {
        // In one order, so that no two wait for each other.
        var claimed = new List<string>();
        foreach (var (address, isWanted) in released.Select(address => (address, false)).Concat(wanted.Select(address => (address, true)))
            .OrderBy(one => one.address, StringComparer.Ordinal).ThenBy(one => one.Item2))
        {
            if (!isWanted)
                connection.Execute("DELETE FROM probe_claim WHERE address = @address AND holder = @holder", new { address, holder });
            else if (TryClaim(holder, address, (long)term.TotalMilliseconds))
                claimed.Add(address);
        }

        return claimed;
    });

    internal override IReadOnlyList<string> RenewClaims(string holder, TimeSpan term) => session.Guard(() => connection.Query<string>(
        "UPDATE probe_claim SET expires = " + Clock + " + @term WHERE holder = @holder AND expires > " + Clock + " RETURNING address",
        new { holder, term = (long)term.TotalMilliseconds }).ToList());

    internal override void SweepClaims() => session.Guard(() =>
    {
        connection.Execute("DELETE FROM probe_claim WHERE expires < " + Clock + " - @memory", new { memory = ClaimMemory });
    });

    internal override void Request(IReadOnlyCollection<string> keys, int most) => Together(() =>
    {
        var room = most - (int)connection.ExecuteScalar<long>("SELECT count(*) FROM (SELECT 1 FROM probe_request LIMIT @most) waiting", new { most = (long)most });
        foreach (var key in keys.Order(StringComparer.Ordinal).Take(Math.Max(room, 0)))
            Request(key);
        return true;
    });

    internal override IReadOnlyList<string> TakeRequests(LeaseToken token, int limit) => session.Guard(() => connection.Query<string>(
        """
        DELETE FROM probe_request WHERE key IN (SELECT key FROM probe_request ORDER BY at LIMIT @limit)
            AND EXISTS (SELECT 1 FROM probe_lease WHERE vantage = @Vantage AND instance = @Instance AND epoch = @Epoch)
        RETURNING key
        """,
        new { limit = (long)limit, token.Vantage, token.Instance, token.Epoch }).ToList());

    protected override void Dispose(bool disposing) => session.Dispose();

    private bool TryClaim(string holder, string address, long term) => connection.Execute(
        "INSERT INTO probe_claim (address, holder, expires) VALUES (@address, @holder, " + Clock +
        """
         + @term)
        ON CONFLICT (address) DO UPDATE SET holder = excluded.holder, expires =
        """ + " " + Clock + " + @term WHERE probe_claim.expires <= " + Clock,
        new { address, holder, term }) > 0;

    private void Request(string key) => connection.Execute(
        "INSERT INTO probe_request (key, at) VALUES (@key, " + Clock + ") ON CONFLICT (key) DO NOTHING", new { key });

    private T Together<T>(Func<T> work) => session.Guard(() =>
    {
        connection.Execute("BEGIN");
        try
        {
            // A process that is stopped in the midst of it keeps nobody waiting.
            connection.Execute(PostgreSqlSession.GiveUpIdle);
            var result = work();
            session.Commit();
            return result;
        }
        catch
        {
            session.Rollback();
            throw;
        }
    });
}
