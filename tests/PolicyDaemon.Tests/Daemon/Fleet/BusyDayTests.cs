using System.Security.Cryptography;
using Npgsql;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>What people do to a server on a bad day, while a node is asked all the while: no lookup notices, and every message says what to do.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class BusyDayTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-busyday").FullName;
    private readonly List<IDisposable> parts = [];

    [Fact]
    public async Task A_lock_of_an_administrator()
    {
        var server = Start(new PostgreSqlCluster());
        var store = FleetStore.Make(server);
        await using var node = await FleetNode.StartAsync(store.Words, directory);
        await node.LiveAsync(FleetNode.Known);

        using (var holder = server.Connect("postgres"))
        {
            using var command = holder.CreateCommand();
            command.CommandText = "BEGIN; LOCK TABLE audit, audit_head, change, destination, finding, pin, schema_version, store IN ACCESS EXCLUSIVE MODE";
            command.ExecuteNonQuery();
            await Until.TrueAsync(() => !node.Follows, what: "the node waits no longer");
            var read = Refused(store);
            Assert.Equal(StoreFault.Locked, read.Kind);
            Assert.Contains($"postgres holds AccessExclusiveLock on audit", read.Message, StringComparison.Ordinal);
            Assert.Contains($"process {holder.ProcessID} of the server", read.Message, StringComparison.Ordinal);
        }

        store.Put("after.example");
        await node.LiveAsync("after.example");
        await node.StopAsync();
    }

    [Fact]
    public async Task A_password_that_is_changed_before_the_file()
    {
        var server = Start(new PostgreSqlCluster([], "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256"));
        var passwords = Path.Combine(directory, "pgpass");
        Write("*:*:*:*:one");
        server.Sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE policydaemon LOGIN PASSWORD 'one'; GRANT ALL ON SCHEMA public TO policydaemon");
        var store = new FleetStore(FleetStore.WordsOf(server) + $" passfile={passwords}");
        PolicyStore.Create(store.Words, FleetStore.Alice, TimeProvider.System).Dispose();
        store.Put(FleetNode.Known);
        await using var node = await FleetNode.StartAsync(store.Words, directory + "/node");

        server.Sql("ALTER ROLE policydaemon PASSWORD 'two'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'policydaemon'");
        await Until.TrueAsync(() => node.Findings.Count > 0, what: "the node says so at once");
        TestContext.Current.TestOutputHelper?.WriteLine(node.Findings.First().Detail);
        Assert.Contains("password authentication failed", node.Findings.First().Detail, StringComparison.Ordinal);
        Assert.Contains("the file of passfile", node.Findings.First().Detail, StringComparison.Ordinal);
        Write("*:*:*:*:two");
        store.Put("after.example");
        await node.LiveAsync("after.example");
        await Until.TrueAsync(() => node.Findings.Count == 0, what: "the finding ends");
        await node.StopAsync();

        void Write(string lines)
        {
            File.WriteAllText(passwords, lines);
            File.SetUnixFileMode(passwords, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>The store's tables lie in a file system of a few megabytes, which is filled.</summary>
    [Fact]
    public async Task A_full_disk_of_the_server()
    {
        var server = Start(new PostgreSqlCluster(megabytes: 16));
        server.Sql($"CREATE TABLESPACE small LOCATION '{server.Directory}/small'");
        server.Sql("CREATE DATABASE fleet TABLESPACE small");
        var store = FleetStore.Make(" dbname=fleet", server);
        await using var node = await FleetNode.StartAsync(store.Words, directory);
        await node.LiveAsync(FleetNode.Known);

        server.Sql("CREATE UNLOGGED TABLE filling (t TEXT)", "fleet");
        Fill("SELECT repeat(md5(n::text), 30) FROM generate_series(1, 500) AS n");
        Fill("VALUES (repeat(md5('one'), 100))");
        var note = Convert.ToHexString(RandomNumberGenerator.GetBytes(100_000));
        var full = Assert.Throws<StoreException>(() => store.Change(change => change.Put(TemporaryStore.Secure("large.example", note)), null));
        TestContext.Current.TestOutputHelper?.WriteLine(full.Message);
        Assert.Equal(StoreFault.Full, full.Kind);
        Assert.Contains("nothing was changed, free some space on the server", full.Message, StringComparison.Ordinal);
        Assert.Equal(LookupAnswerKind.Found, (await node.AskAsync(FleetNode.Known)).Kind);
        server.Sql("DROP TABLE filling", "fleet");

        await Until.TrueAsync(() => Succeeds(() => store.Put("after.example")), what: "there is room again");
        await node.LiveAsync("after.example");
        using (var opened = store.Open())
            Assert.Null(opened.VerifyAudit().Problem);
        await node.StopAsync();

        void Fill(string with)
        {
            Action insert = () => server.Sql($"DO $$BEGIN LOOP INSERT INTO filling {with}; END LOOP; END$$", "fleet");
            Assert.Equal("53100", Assert.Throws<PostgresException>(insert).SqlState);
        }
    }

    /// <summary>Two people change one key at once, from two machines, ten times: each change is made of what it says it was made of.</summary>
    [Fact]
    public async Task Two_who_change_one_key_at_once_come_one_after_the_other()
    {
        var server = Start(new PostgreSqlCluster());
        var store = FleetStore.Make(server);
        await Parallel.ForEachAsync(Enumerable.Range(0, 20), new ParallelOptions { MaxDegreeOfParallelism = 2 }, (number, _) =>
        {
            store.Change(change => change.Put(TemporaryStore.Secure("one.example", note: $"note {number}")), null, TimeSpan.FromSeconds(30));
            return ValueTask.CompletedTask;
        });

        using var opened = store.Open();
        Assert.Null(opened.VerifyAudit().Problem);
        var rows = opened.Audit(PolicyDaemon.Core.Destinations.NextHop.Parse("one.example")).OrderBy(row => row.Sequence).ToList();
        Assert.Equal(20, rows.Count);
        Assert.All(rows.Zip(rows.Skip(1)), pair => Assert.Equal(pair.First.After, pair.Second.Before));
    }

    public void Dispose()
    {
        foreach (var part in parts)
            part.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static StoreException Refused(FleetStore store)
    {
        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(store.Words, StoreAccess.Read, TimeProvider.System));
        TestContext.Current.TestOutputHelper?.WriteLine(fault.Message);
        return fault;
    }

    private static bool Succeeds(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private PostgreSqlCluster Start(PostgreSqlCluster server)
    {
        parts.Add(server);
        return server.Start();
    }
}
