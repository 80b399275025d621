using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Npgsql;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>What a connection is for, where a store has several servers.</summary>
internal enum ServerChoice
{
    /// <summary>Writes: the server that takes them.</summary>
    Writes,

    /// <summary>Reads what was written last: the primary; while there is none, a standby.</summary>
    Newest,

    /// <summary>Reads much: a standby, so that the primary is spared; where there is none, the primary.</summary>
    Bulk,
}

/// <summary>The servers of one store, and which of them a connection is opened to.</summary>
/// <remarks>
/// They are asked one after the other, the one that served last first, and each says by itself what it is: Npgsql's own choice remembers for ten
/// seconds what a server was, which is longer than a failover should take. A pool between (PgBouncer) is known by its process number, which is
/// not the server's: one connection may be another session there with each transaction, so no statements are kept and nothing is set.
/// </remarks>
internal sealed class PostgreSqlServers
{
    // One for all engines over the same store: a program opens it many times.
    private static readonly ConcurrentDictionary<string, PostgreSqlServers> Known = new(StringComparer.Ordinal);

    private readonly string path;
    private readonly string session;
    private readonly IReadOnlyList<PostgreSqlAddress> addresses;
    private volatile int lastGood;
    private volatile bool isPooled;

    private PostgreSqlServers(string path)
    {
        if (!PostgreSqlWords.TryParse(path[PostgreSqlWords.Prefix.Length..], out var words, out var reason))
            throw new FormatException(reason);
        this.path = path;
        addresses = PostgreSqlAddress.Parse(words);
        session = words.GetValueOrDefault("target_session_attrs", "");
    }

    /// <summary>True where a standby may take the load of those who read much.</summary>
    internal bool AreSeveral => addresses.Count > 1;

    /// <exception cref="FormatException">The words of the store's name cannot be used.</exception>
    internal static PostgreSqlServers Of(string path) => Known.GetOrAdd(path, name => new PostgreSqlServers(name));

    /// <summary>Opens a connection to the first server that serves the purpose.</summary>
    /// <exception cref="StoreException">None does; the message says why, of each.</exception>
    internal PostgreSqlConnection Open(ServerChoice choice)
    {
        var refusals = new List<StoreException>();
        PostgreSqlConnection? second = null;
        var first = lastGood;
        for (var i = 0; i < addresses.Count; i++)
        {
            var at = (first + i) % addresses.Count;
            try
            {
                var (connection, role) = Connect(addresses[at]);
                var rank = Rank(choice, role);
                if (rank == 0)
                {
                    second?.Dispose();
                    if (choice != ServerChoice.Bulk)
                        lastGood = at;
                    return connection;
                }

                if (rank == 1 && second is null)
                {
                    second = connection;
                    continue;
                }

                connection.Dispose();
                refusals.Add(PostgreSqlFaults.WrongServer(addresses[at].Name, role.IsStandby));
            }
            catch (DbException error)
            {
                refusals.Add(PostgreSqlFaults.From(error, AreSeveral ? addresses[at].Name : path, null));
            }
            catch (Exception error) when (error is ArgumentException or IOException or UnauthorizedAccessException or TimeoutException or InvalidOperationException or System.Security.Cryptography.CryptographicException)
            {
                refusals.Add(PostgreSqlFaults.Unavailable(AreSeveral ? addresses[at].Name : path, error));
            }
        }

        return second ?? throw PostgreSqlFaults.OfAll(path, refusals);
    }

    /// <returns>0: the server is wanted; 1: it will do where no other is there; 2: it will not do.</returns>
    private int Rank(ServerChoice choice, ServerRole role) => choice switch
    {
        // What a standby takes is not asked twice where there is but one server: the message of who writes says it better.
        ServerChoice.Writes => role.OnlyRead == 0 || !AreSeveral ? 0 : 2,
        _ => session switch
        {
            "any" => 0,
            "standby" => role.IsStandby ? 0 : 2,
            "read-only" => role.OnlyRead != 0 ? 0 : 2,
            "prefer-standby" => role.IsStandby ? 0 : 1,
            "read-write" or "primary" when choice == ServerChoice.Newest => role.OnlyRead == 0 ? 0 : 2,
            _ when choice == ServerChoice.Bulk => role.IsStandby || !AreSeveral ? 0 : 1,
            _ => role.OnlyRead == 0 || !AreSeveral ? 0 : 1,
        },
    };

    private (PostgreSqlConnection Connection, ServerRole Role) Connect(PostgreSqlAddress address)
    {
        var (connection, role) = Connect(isPooled ? address.Plain : address.Prepared, address.Name);
        if (!connection.IsPooled || isPooled)
            return (connection, role);
        connection.Dispose();
        isPooled = true;
        return Connect(address.Plain, address.Name);
    }

    private static (PostgreSqlConnection Connection, ServerRole Role) Connect(NpgsqlDataSource source, string server)
    {
        var opened = source.OpenConnection();
        var connection = new PostgreSqlConnection(opened, server);
        try
        {
            var role = connection.Briefly(() => connection.QueryFirst<ServerRole>(
                """
                SELECT CAST(pg_backend_pid() AS BIGINT) AS process, CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS recovers,
                       CASE WHEN current_setting('transaction_read_only') = 'on' THEN 1 ELSE 0 END AS only_read
                """));
            connection.IsPooled = role.Process != opened.ProcessID;
            return (connection, role);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What a server says of itself.</summary>
    /// <param name="Process">The process that serves the connection there.</param>
    /// <param name="Recovers">1: it is a standby.</param>
    /// <param name="OnlyRead">1: it takes no writes.</param>
    internal sealed record ServerRole(long Process, long Recovers, long OnlyRead)
    {
        internal bool IsStandby => Recovers != 0;
    }
}
