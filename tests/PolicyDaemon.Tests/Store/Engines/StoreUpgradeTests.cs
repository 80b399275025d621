using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store on a server is brought up to date by one command, and by nothing else.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class StoreUpgradeTests : IDisposable
{
    private readonly ServerFixture server = new(prepare: false);

    public void Dispose() => server.Dispose();

    [Fact]
    public void Nothing_else_touches_an_older_one_and_what_does_is_named()
    {
        MakeOlder();

        foreach (var access in Enum.GetValues<StoreAccess>())
        {
            var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(server.Store, access, server.Time));
            Assert.Equal(StoreFault.Older, fault.Kind);
            Assert.Contains("policyctl store upgrade", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal(StoreFault.Older, Assert.Throws<StoreException>(() => EngineChoice.For(server.Store).Watch(TimeSpan.FromSeconds(1))).Kind);
        using var session = new CliSession(init: false);
        Assert.Contains("store upgrade", session.RunWith("--database", server.Store, "init").Error, StringComparison.Ordinal);
        Assert.Equal(Older, Version());
    }

    [Fact]
    public void It_is_brought_up_to_date_with_what_is_in_it()
    {
        MakeOlder();
        using var session = new CliSession(init: false);
        Assert.Contains("would be brought up to date", session.RunWith("--format", "table", "--database", server.Store, "store", "upgrade", "--dry-run").Out, StringComparison.Ordinal);
        Assert.Equal(Older, Version());

        var done = session.RunWith("--database", server.Store, "store", "upgrade");

        Assert.Equal(ExitCode.Done, done.Code);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{server.Store}\t{Older}\t{PostgreSqlSchema.Newest}\n"), done.Out);
        Assert.StartsWith("a.example\t", session.RunWith("--database", server.Store, "domain", "list").Out, StringComparison.Ordinal);
        Assert.Contains("is up to date", session.RunWith("--format", "table", "--database", server.Store, "store", "upgrade").Out, StringComparison.Ordinal);
    }

    /// <summary>As it is where the administrator of the server made the tables.</summary>
    [Fact]
    public void Whoever_owns_the_tables_does_it_and_the_rights_of_what_is_new_are_given()
    {
        using var prepared = new ServerFixture();
        MakeOlder();
        server.Prepare();
        Assert.Equal(StoreFault.Permission, Assert.Throws<StoreException>(() => StorePlace.Upgrade(server.As(ServerFixture.Admin), dryRun: false)).Kind);

        StorePlace.Upgrade(server.As(ServerFixture.Owner), dryRun: false);

        const string Rights = "SELECT relname || ' ' || relowner::regrole || ' ' || relacl::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1";
        Assert.Equal(prepared.List(Rights), server.List(Rights));
        using var store = server.Open(ServerFixture.Node, StoreAccess.Read);
        Assert.Equal(1, store.Count());
    }

    [Theory]
    [InlineData("SELECT pg_advisory_xact_lock(1349479492)")]
    [InlineData("SELECT sequence FROM audit_head WHERE id = 1 FOR UPDATE")]
    [InlineData("LOCK TABLE node IN ACCESS SHARE MODE")]
    public void Whoever_holds_it_is_waited_for_for_a_while_and_then_named(string holding)
    {
        MakeOlder();
        using var holder = PostgreSqlServer.Instance.Connect(server.Store);
        using var transaction = holder.BeginTransaction();
        using var command = holder.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = holding;
#pragma warning restore CA2100
        command.ExecuteNonQuery();

        var fault = Assert.Throws<StoreException>(() => EngineChoice.For(server.Store).Upgrade(dryRun: false, TimeSpan.FromMilliseconds(200)));

        Assert.Equal(StoreFault.Locked, fault.Kind);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"process {holder.ProcessID} of the server"), fault.Message, StringComparison.Ordinal);
        Assert.Equal(Older, Version());
        transaction.Rollback();
        EngineChoice.For(server.Store).Upgrade(dryRun: false, TimeSpan.FromSeconds(30));
        Assert.Equal(PostgreSqlSchema.Newest, Version());
    }

    [Fact]
    public async Task Two_at_once_are_one()
    {
        MakeOlder();

        var done = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => EngineChoice.For(server.Store).Upgrade(dryRun: false, TimeSpan.FromSeconds(30)))));

        Assert.Single(done, change => change.From != change.To);
        Assert.Equal(PostgreSqlSchema.Newest, Version());
    }

    [Fact]
    public void One_that_fails_changes_nothing()
    {
        MakeOlder();
        using var connection = (PostgreSqlConnection)EngineChoice.For(Newer()).Open(StoreAccess.Read).Connection;
        var broken = PostgreSqlSchema.Migrations.Append(new Migration(PostgreSqlSchema.Newest + 1, "ALTER TABLE destination ADD COLUMN x BIGINT; SELECT 1 / 0")).ToList();

        Assert.ThrowsAny<Exception>(() => PostgreSqlUpgrade.Run(connection, server.Store, broken, dryRun: false, TimeSpan.FromSeconds(5)));

        Assert.Equal(PostgreSqlSchema.Newest, Version());
        Assert.Empty(server.List("SELECT column_name FROM information_schema.columns WHERE table_name = 'destination' AND column_name = 'x'"));
    }

    /// <summary>A machine that could not read it any more would learn of no change.</summary>
    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "mx7 (0.1.0)")]
    public void It_is_refused_over_a_live_node_that_could_not_read_it_any_more(long beyond, string? named)
    {
        MakeOlder();
        Newer();
        var engine = EngineChoice.For(server.Store);
        using (var fleet = engine.OpenFleet(StoreAccess.Write)!)
            fleet.Beat(new NodeRow("mx7", "a", "0.1.0", "default", 1, "sha256", 1, 0, 0));
        using var session = engine.Open(StoreAccess.Read);
        var next = PostgreSqlSchema.Newest + 1;
        var migrations = PostgreSqlSchema.Migrations
            .Append(new Migration(next, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO schema_version VALUES ({next}, {PostgreSqlSchema.Newest + beyond}, {next})"))).ToList();

        var fault = Record.Exception(() => PostgreSqlUpgrade.Run((PostgreSqlConnection)session.Connection, server.Store, migrations, dryRun: false, TimeSpan.FromSeconds(5)));

        Assert.Equal(named is null ? next : PostgreSqlSchema.Newest, Version());
        if (named is null)
        {
            Assert.Null(fault);
            return;
        }

        Assert.Contains(named, Assert.IsType<StoreException>(fault).Message, StringComparison.Ordinal);
        // One that has been gone for a while is in nobody's way.
        server.Sql("UPDATE node SET seen = seen - 100000");
        PostgreSqlUpgrade.Run((PostgreSqlConnection)session.Connection, server.Store, migrations, dryRun: false, TimeSpan.FromSeconds(5));
        Assert.Equal(next, Version());
    }

    private static long Older => PostgreSqlSchema.Newest - 1;

    private string Newer()
    {
        StorePlace.Upgrade(server.Store, dryRun: false);
        return server.Store;
    }

    private long Version() => long.Parse(Assert.Single(server.List("SELECT max(version)::text FROM schema_version")), CultureInfo.InvariantCulture);

    /// <summary>The steps of the version before, with an entry in them.</summary>
    private void MakeOlder()
    {
        foreach (var migration in PostgreSqlSchema.Migrations.Where(step => step.Version <= Older))
            server.Sql(migration.Sql);
        server.Sql("INSERT INTO store (id, store_id, created) VALUES (1, 'abc', 1000)");
        server.Sql("INSERT INTO destination (key, host, level, mode, observe) VALUES ('a.example', 'a.example', 'secure', 'assist', 0)");
    }
}
