using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace PolicyDaemon.Tests.Support;

/// <summary>A PostgreSQL server of this test run alone: a new cluster in memory, reached over a unix socket, by no port.</summary>
/// <remarks>Begins with the first test that asks for it, and ends with the process, however that ends: a shell beside the server waits for the end
/// of a pipe. As root it runs as another user, since the server refuses root.</remarks>
internal sealed class PostgreSqlServer
{
    private const string User = "policydaemon";

    // The directory has no name that a user could have chosen: the socket's path has room for 107 octets.
    private const string Script =
        """
        set -e
        cd "$1"
        "$2/initdb" --pgdata="$1/data" --username="$3" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >initdb.log 2>&1
        "$2/postgres" -D "$1/data" -c listen_addresses= -c unix_socket_directories="$1" -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
            -c max_connections=300 -c shared_buffers=64MB -c autovacuum=off -c max_wal_size=4GB >postgres.log 2>&1 &
        cat >/dev/null || true
        kill -INT $! 2>/dev/null || true
        wait || true
        rm -rf "$1"/*
        """;

    private static readonly Lazy<PostgreSqlServer> Only = new(() => new PostgreSqlServer());

    private readonly NpgsqlDataSource administration;
    private int databases;

    private PostgreSqlServer()
    {
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(
            System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : "/tmp", $"pd-pg-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}")).FullName;
        var binaries = System.IO.Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Last() + "/bin";
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        if (Environment.IsPrivilegedProcess)
        {
            using var owned = Process.Start("chown", ["postgres", Directory]);
            owned.WaitForExit();
            start.FileName = "setpriv";
            foreach (var argument in (string[])["--reuid=postgres", "--regid=postgres", "--clear-groups", "/bin/sh"])
                start.ArgumentList.Add(argument);
        }

        foreach (var argument in (string[])["-c", Script, "sh", Directory, binaries, User])
            start.ArgumentList.Add(argument);
        var server = Process.Start(start)!;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            server.StandardInput.Close();
            server.WaitForExit();
            System.IO.Directory.Delete(Directory, recursive: true);
        };
        administration = NpgsqlDataSource.Create($"Host={Directory};Username={User};Database=postgres;Pooling=false;GSS Encryption Mode=Disable");
        WaitUntilItAnswers(server);
    }

    internal static PostgreSqlServer Instance => Only.Value;

    /// <summary>Where its socket lies.</summary>
    internal string Directory { get; }

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its name as the store's configuration has it.</returns>
    internal string CreateDatabase()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref databases)}");
        Administer($"CREATE DATABASE {name} TEMPLATE template0");
        return $"postgresql:host={Directory} user={User} dbname={name}";
    }

    /// <summary>Removes a database, whoever is connected to it.</summary>
    internal void DropDatabase(string store) => Administer($"DROP DATABASE IF EXISTS {NameOf(store)} WITH (FORCE)");

    /// <summary>Renames a database, whoever is connected to it.</summary>
    internal void RenameDatabase(string store, string to)
    {
        // Nobody comes in between.
        Administer($"ALTER DATABASE {NameOf(store)} ALLOW_CONNECTIONS false");
        Disconnect(store);
        Administer($"ALTER DATABASE {NameOf(store)} RENAME TO {NameOf(to)}");
        Administer($"ALTER DATABASE {NameOf(to)} ALLOW_CONNECTIONS true");
    }

    /// <summary>Ends all connections to a database, as a restart of the server does.</summary>
    internal void Disconnect(string store) =>
        Administer($"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{NameOf(store)}'");

    /// <summary>Says in PostgreSQL's words what tests say in SQLite's.</summary>
    internal static string WordsOf(string sql) => Regex.Replace(
        sql
            .Replace("DROP TRIGGER audit_begins_with_1", "ALTER TABLE audit DROP CONSTRAINT audit_begins_with_1", StringComparison.Ordinal)
            .Replace("PRAGMA foreign_keys = OFF", "SET session_replication_role = replica", StringComparison.Ordinal),
        "DROP TRIGGER ((audit|change)_[a-z_]+)", "DROP TRIGGER $1 ON $2");

    /// <summary>A connection as a person with psql has one, as the user that the name says.</summary>
    internal NpgsqlConnection Connect(string store)
    {
        var connection = new NpgsqlConnection(
            $"Host={Directory};Username={Regex.Match(store, "user=([a-z0-9_]+)").Groups[1].Value};Database={NameOf(store)};Pooling=false;GSS Encryption Mode=Disable");
        connection.Open();
        return connection;
    }

    private static string NameOf(string store) => store[(store.LastIndexOf('=') + 1)..];

    private void Administer(string sql)
    {
#pragma warning disable CA2100 // the tests' own text
        using var command = administration.CreateCommand(sql);
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private void WaitUntilItAnswers(Process server)
    {
        // Not Until, since tests wait here that are not asynchronous.
        while (true)
        {
            try
            {
                Administer("SELECT 1");
                return;
            }
            catch (NpgsqlException) when (!server.HasExited)
            {
                server.WaitForExit(50);
            }
        }
    }
}
