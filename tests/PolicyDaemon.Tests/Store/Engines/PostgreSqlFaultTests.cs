using System.Net.Sockets;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>What a store on a server meets that a file does not.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PostgreSqlFaultTests : IDisposable
{
    private readonly string store = PostgreSqlServer.Instance.CreateDatabase();

    public void Dispose() => PostgreSqlServer.Instance.DropDatabase(store);

    [Fact]
    public void An_empty_database_and_one_that_is_not_there_say_how_to_make_a_store()
    {
        var empty = Assert.Throws<StoreException>(() => Open());
        Assert.Equal(StoreFault.Missing, empty.Kind);
        Assert.Contains("policyctl init", empty.Message, StringComparison.Ordinal);
        Assert.False(StorePlace.Exists(store));

        var none = Assert.Throws<StoreException>(() => PolicyStore.Open(store + "_none", StoreAccess.Read, TimeProvider.System));
        Assert.Equal(StoreFault.Missing, none.Kind);
        Assert.Contains("createdb", none.Message, StringComparison.Ordinal);
        // Nobody knows what is there, so nothing is made.
        Assert.True(StorePlace.Exists(store + "_none"));
    }

    [Fact]
    public void Making_one_twice_is_refused()
    {
        Create();
        Assert.Equal(StoreFault.Exists, Assert.Throws<StoreException>(Create).Kind);
    }

    [Fact]
    public void A_server_that_is_not_there_is_unavailable_and_says_why()
    {
        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open($"postgresql:host={Path.GetTempPath()} dbname=p", StoreAccess.Read, TimeProvider.System));

        Assert.Equal(StoreFault.Unavailable, fault.Kind);
        Assert.Contains("is the server up", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.HostNotFound)]
    [InlineData(SocketError.TryAgain)]
    public void A_host_that_is_not_found_is_called_so(SocketError error)
    {
        var fault = PostgreSqlFaults.Unavailable("here", new SocketException((int)error));

        Assert.Equal(StoreFault.Unavailable, fault.Kind);
        Assert.Contains("/etc/hosts", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_schema_on_a_server_asks_for_the_upgrade_of_this_machine()
    {
        var newer = new SchemaVersion(99, 98, 98);

        Assert.Contains("install that version on this machine, too", Refused("postgresql:dbname=p"), StringComparison.Ordinal);
        Assert.Contains("restore a backup", Refused("/policy.db"), StringComparison.Ordinal);

        string Refused(string path) => Assert.Throws<StoreException>(() => newer.RefuseNewer(path, StoreAccess.Read, 13)).Message;
    }

    [Fact]
    public void A_user_without_privileges_is_told_so()
    {
        Create();
        Sql("DROP ROLE IF EXISTS stranger_here; CREATE ROLE stranger_here LOGIN");

        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(
            store.Replace("user=policydaemon", "user=stranger_here", StringComparison.Ordinal), StoreAccess.Read, TimeProvider.System));

        Assert.Equal(StoreFault.Permission, fault.Kind);
        Assert.Contains("privileges", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_takes_no_writes_is_read_and_says_so()
    {
        Create();
        Sql($"ALTER DATABASE {store[(store.LastIndexOf('=') + 1)..]} SET default_transaction_read_only = on");

        using var reading = Open();
        Assert.Equal(StoreFault.ReadOnly, reading.OnlyRead!.Kind);
        Assert.Equal(StoreFault.ReadOnly, Assert.Throws<StoreException>(() => PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System)).Kind);
    }

    [Fact]
    public void No_variable_of_the_environment_decides()
    {
        Create();
        // Of those that the connections of other tests, which run beside this one, do not look at.
        foreach (var name in (string[])["PGUSER", "PGPASSFILE", "PGTARGETSESSIONATTRS"])
            Environment.SetEnvironmentVariable(name, "nonsense");

        Open().Dispose();

        Assert.All((string[])["PGUSER", "PGPASSFILE", "PGTARGETSESSIONATTRS"], name => Assert.Null(Environment.GetEnvironmentVariable(name)));
    }

    /// <summary>Half of them take their change back; numbers have no gaps all the same, and each row follows the one before.</summary>
    [Fact]
    public async Task Many_writers_leave_one_dense_chain()
    {
        Create();

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 10 }, (number, _) =>
        {
            using var writer = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System, TimeSpan.FromSeconds(60));
            using var change = writer.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
            change.Put(TemporaryStore.Secure($"d{number}.example"));
            if (number % 2 == 0)
                change.Commit();
            return ValueTask.CompletedTask;
        });

        using var opened = Open();
        Assert.Equal((20L, 21L), (opened.Count(), opened.Head().Sequence));
        Assert.Null(opened.VerifyAudit().Problem);
        Assert.Equal(Enumerable.Range(1, 21).Select(number => (long)number), opened.Audit().Select(row => row.Sequence).Order());
    }

    /// <summary>A transaction in which one row failed takes more all the same.</summary>
    [Fact]
    public async Task A_row_that_the_server_refuses_takes_no_other_with_it()
    {
        Create();
        using var writer = new LedgerWriter(EngineChoice.For(store), TimeProvider.System, null, new HistoryCache());
        using var hold = new ManualResetEventSlim();
        var first = writer.WriteAsync(_ => hold.Wait(TestContext.Current.CancellationToken));
        var bad = writer.WriteAsync(into => Run(into, "INSERT INTO prober (id) VALUES (2)"));
        var good = writer.WriteAsync(into => Run(into, "UPDATE prober SET brake_on = 7"));
        hold.Set();

        await Assert.ThrowsAsync<LedgerUnavailableException>(() => bad);
        await Task.WhenAll(first, good);
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT brake_on FROM prober";
        Assert.Equal(7L, command.ExecuteScalar());
    }

    [Fact]
    public void Who_remembers_goes_on_after_the_server_ended_its_connections()
    {
        Create();
        using var ledger = new ProbeLedger(store, PostfixSettings.Default, TimeProvider.System);
        Assert.Null(ledger.Read(NextHop.Parse("a.example")));
        PostgreSqlServer.Instance.Disconnect(store);

        Assert.Throws<LedgerUnavailableException>(() => ledger.Read(NextHop.Parse("a.example")));
        Assert.Null(ledger.Read(NextHop.Parse("a.example")));
    }

    private static void Run(WriteSession into, string sql)
    {
        using var command = into.Connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private PolicyStore Open() => PolicyStore.Open(store, StoreAccess.Read, TimeProvider.System);

    private void Create() => PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();

    private void Sql(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
