using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Tests.Daemon.Fleet;

namespace PolicyDaemon.Tests.Support;

/// <summary>Two PostgreSQL servers that Debian's Patroni leads, by an etcd of their own, with synchronous replication: on ports of 127.0.0.1.</summary>
/// <remarks>They end with the process, however that ends, as <see cref="PostgreSqlCluster"/> does.</remarks>
internal sealed class PatroniCluster : IDisposable
{
    // The directory, the client's and the peers' port of etcd.
    private const string Script =
        """
        cd "$1"
        etcd --data-dir "$1/etcd" --listen-client-urls http://127.0.0.1:$2 --advertise-client-urls http://127.0.0.1:$2 \
            --listen-peer-urls http://127.0.0.1:$3 --initial-advertise-peer-urls http://127.0.0.1:$3 --initial-cluster default=http://127.0.0.1:$3 >etcd.log 2>&1 &
        etcd=$!
        patroni "$1/db1.yml" >db1.log 2>&1 &
        one=$!
        patroni "$1/db2.yml" >db2.log 2>&1 &
        two=$!
        echo $one $two
        cat >/dev/null || true
        kill -TERM $one $two 2>/dev/null || true
        wait $one $two || true
        kill $etcd 2>/dev/null || true
        wait || true
        """;

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly List<Member> members;
    private readonly Process shell;

    internal PatroniCluster()
    {
        Directory = PostgreSqlCluster.NewDirectory();
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        var (client, peers) = (PostgreSqlCluster.FreePort(), PostgreSqlCluster.FreePort());
        members = [.. Enumerable.Range(1, 2).Select(number => new Member($"db{number}", PostgreSqlCluster.FreePort(), PostgreSqlCluster.FreePort()))];
        foreach (var member in members)
        {
            System.IO.Directory.CreateDirectory(DirectoryOf(member));
            File.WriteAllText(Path.Combine(Directory, member.Name + ".yml"), Configuration(member, client));
        }

        PostgreSqlCluster.Own(Directory);
        var start = PostgreSqlCluster.AsServer("/bin/sh", ["-c", Script, "sh", Directory, Text(client), Text(peers)]);
        (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
        shell = Process.Start(start)!;
        var processes = shell.StandardOutput.ReadLine()!.Split(' ');
        for (var at = 0; at < members.Count; at++)
            members[at].Patroni = int.Parse(processes[at], CultureInfo.InvariantCulture);
    }

    /// <summary>Where their data, their logs and their sockets lie.</summary>
    internal string Directory { get; }

    /// <summary>The store on all of them, as the configuration names it.</summary>
    internal string Words => WordsOf(Ports);

    internal IReadOnlyList<int> Ports => [.. members.Select(member => member.Port)];

    /// <summary>The same by other ports.</summary>
    internal static string WordsOf(IReadOnlyList<int> ports) =>
        $"postgresql:host={string.Join(',', ports.Select(_ => "127.0.0.1"))} port={string.Join(',', ports.Select(Text))} dbname=postgres user=policydaemon sslmode=disable";

    /// <summary>The one that takes writes; null while there is none.</summary>
    internal string? Primary => members.Find(IsPrimary)?.Name;

    /// <summary>Makes the user and the store, with the entry that every node is asked for.</summary>
    internal FleetStore MakeStore()
    {
        using (var connection = Connect(members.Find(IsPrimary)!))
        {
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon";
            command.ExecuteNonQuery();
        }

        var store = new FleetStore(Words);
        PolicyStore.Create(Words, Actor.Daemon, TimeProvider.System).Dispose();
        store.Put(FleetNode.Known);
        return store;
    }

    /// <summary>Whether the other one has all that the primary acknowledges.</summary>
    internal bool IsSynchronous()
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{members.First(member => member.Patroni > 0).Rest}/cluster");
            using var response = http.Send(request);
            using var cluster = JsonDocument.Parse(response.Content.ReadAsStream());
            return cluster.RootElement.GetProperty("members").EnumerateArray().Any(member => member.GetProperty("role").GetString() == "sync_standby");
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Lets the primary and the other one change places, as an administrator does.</summary>
    internal async Task SwitchOverAsync()
    {
        var primary = members.Find(IsPrimary)!;
        // Not as a stream: Patroni asks for the length.
        using var body = new StringContent($$"""{"leader": "{{primary.Name}}", "candidate": "{{members.First(member => member != primary).Name}}"}""");
        using var reply = await http.PostAsync(new Uri($"http://127.0.0.1:{primary.Rest}/switchover"), body);
        if (!reply.IsSuccessStatusCode)
            throw new InvalidOperationException(await reply.Content.ReadAsStringAsync());
    }

    /// <summary>Kills the primary and the Patroni beside it at once, as a machine dies.</summary>
    internal void KillPrimary()
    {
        var primary = members.Find(IsPrimary)!;
        var postmaster = File.ReadLines(Path.Combine(DirectoryOf(primary), "data", "postmaster.pid")).First();
        PostgreSqlCluster.Run("kill", ["-KILL", Text(primary.Patroni), postmaster]);
        primary.Patroni = 0;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        End();
        http.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private string DirectoryOf(Member member) => Path.Combine(Directory, member.Name);

    // The least that Patroni allows: a primary that is gone is missed after ttl.
    private string Configuration(Member member, int etcd) => $$"""
        scope: policydaemon
        name: {{member.Name}}
        restapi: {listen: 127.0.0.1:{{member.Rest}}, connect_address: 127.0.0.1:{{member.Rest}}}
        etcd3: {hosts: 127.0.0.1:{{etcd}}}
        bootstrap:
          dcs:
            ttl: 20
            loop_wait: 1
            retry_timeout: 3
            synchronous_mode: true
          initdb: [{encoding: UTF8}, {locale: C.UTF-8}, no-sync]
        postgresql:
          listen: 127.0.0.1:{{member.Port}}
          connect_address: 127.0.0.1:{{member.Port}}
          data_dir: {{DirectoryOf(member)}}/data
          bin_dir: {{PostgreSqlCluster.Binaries}}
          pgpass: {{DirectoryOf(member)}}/pgpass
          authentication:
            superuser: {username: {{PostgreSqlCluster.Superuser}}, password: one}
            replication: {username: replicator, password: two}
          pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
          parameters: {unix_socket_directories: {{DirectoryOf(member)}}, fsync: 'off', shared_buffers: 32MB}

        """;

    private bool IsPrimary(Member member)
    {
        try
        {
            using var connection = Connect(member);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT pg_is_in_recovery()";
            return command.ExecuteScalar() is false;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private NpgsqlConnection Connect(Member member)
    {
        var connection = new NpgsqlConnection(string.Create(
            CultureInfo.InvariantCulture, $"Host={DirectoryOf(member)};Port={member.Port};Username={PostgreSqlCluster.Superuser};Database=postgres;Pooling=false;GSS Encryption Mode=Disable;Timeout=5"));
        connection.Open();
        return connection;
    }

    private void OnExit(object? sender, EventArgs arguments) => End();

    private void End()
    {
        if (!shell.HasExited)
        {
            shell.StandardInput.Close();
            shell.WaitForExit();
        }

        if (System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
    }

    private sealed class Member(string name, int port, int rest)
    {
        internal string Name { get; } = name;

        internal int Port { get; } = port;

        /// <summary>The port of Patroni's REST API.</summary>
        internal int Rest { get; } = rest;

        /// <summary>The process; 0 where it was killed.</summary>
        internal int Patroni { get; set; }
    }
}
