using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store goes from a file to a server and back by one command, and nobody writes the one that was left.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class StoreMigrationTests : IDisposable
{
    private readonly ServerFixture server = new();
    private readonly CliSession session = new(init: false);
    private readonly string file;
    private readonly string back;

    public StoreMigrationTests()
    {
        file = Path.Combine(session.Directory, "here.db");
        back = Path.Combine(session.Directory, "back.db");
        Run(file, "init");
        Run(file, "domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin);
        Run(file, "domain", "add", "b.example", "[c.example]:587", "--level", "secure", "--note", "größer als \"'\\");
        Run(file, "domain", "remove", "b.example", "--reason", "gone");
    }

    private string There => server.As(ServerFixture.Admin);

    public void Dispose()
    {
        session.Dispose();
        server.Dispose();
    }

    [Fact]
    public void It_goes_to_a_server_and_comes_back_as_it_was()
    {
        var (export, id) = (Run(file, "export", "--full"), StoreId(file));

        var went = Move(file, There);
        Run(There, "domain", "add", "d.example", "--level", "encrypt");
        var grown = Run(There, "export", "--full");
        var came = Move(There, back);

        Assert.Equal((ExitCode.Done, ExitCode.Done), (went.Code, came.Code));
        Assert.Equal(export, Run(file, "export", "--full"));
        Assert.Equal(grown, Run(back, "export", "--full"));
        Assert.StartsWith(export, grown[..grown.IndexOf("d.example", StringComparison.Ordinal)] + export[export.Length..], StringComparison.Ordinal);
        Assert.All((string[])[There, back], store =>
        {
            Assert.Equal(id, StoreId(store));
            Assert.Equal(ExitCode.Done, session.RunWith("--database", store, "audit", "--verify").Code);
        });
        // Who moved it stands in the log, where it is now.
        Assert.Contains("migrate", Run(back, "audit"), StringComparison.Ordinal);
        Run(back, "domain", "add", "e.example", "--level", "encrypt");
    }

    [Fact]
    public void A_dry_run_says_how_much_it_is_and_moves_nothing()
    {
        Assert.Contains("2 entries and 5 rows of the audit log would be moved", session.RunWith("--database", file, "store", "migrate", "--to", There, "--dry-run").Error, StringComparison.Ordinal);
        Run(file, "domain", "add", "d.example", "--level", "encrypt");
        Assert.Contains("no store in them yet", session.RunWith("--database", There, "domain", "list").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_one_that_was_left_is_read_on_and_written_no_more()
    {
        Move(file, There);

        Assert.All(
            (string[][])
            [
                ["domain", "add", "d.example", "--level", "secure"], ["domain", "remove", "a.example", "--reason", "x"], ["pin", "revoke", "a.example", CliSession.Pin[..8], "--reason", "x"],
                ["undo", "2", "--reason", "x"], ["store", "migrate", "--to", back],
            ],
            words =>
            {
                var refused = session.RunWith(["--database", file, .. words]);
                Assert.Equal(ExitCode.Invalid, refused.Code);
                Assert.Contains($"was moved to {There}", refused.Error, StringComparison.Ordinal);
            });
        var listed = session.RunWith("--database", file, "domain", "list");
        Assert.Equal(ExitCode.Done, listed.Code);
        Assert.Contains("a.example", listed.Out, StringComparison.Ordinal);
        Assert.Contains($"was moved to {There}", listed.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, session.RunWith("--database", file, "backup", back).Code);
    }

    /// <summary>A program of the version before knows nothing of the mark; what it knows of shuts it out.</summary>
    [Fact]
    public void An_older_program_cannot_write_it_either()
    {
        Move(file, There);

        using var moved = EngineChoice.For(file).Open(StoreAccess.Read);
        using var command = moved.Connection.CreateCommand();
        command.CommandText = "SELECT writable_from FROM schema_version ORDER BY version DESC LIMIT 1";
        Assert.True((long)command.ExecuteScalar()! > 1_000_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_daemon_answers_from_it_and_says_where_it_went(bool isRunning)
    {
        if (!isRunning)
            Move(file, There);
        using var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(file, Path.Combine(session.Directory, "snapshot")), PostfixSettings.Default, server.Time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        if (isRunning)
        {
            Assert.Empty(loader.Findings);
            Move(file, There);
            loader.Poll();
        }

        Assert.Equal(2, loader.Current!.Count);
        var finding = Assert.Single(loader.Findings);
        Assert.Equal(FindingKind.StoreUnavailable, finding.Kind);
        Assert.Contains($"was moved to {There}", finding.Detail, StringComparison.Ordinal);
        Assert.True(loader.Status!.IsOfStore());
    }

    [Fact]
    public void Who_had_it_open_writes_it_no_more()
    {
        using var writer = PolicyStore.Open(file, StoreAccess.Write, server.Time);
        Move(file, There);

        var fault = Assert.Throws<StoreException>(() => writer.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "test"), PostfixSettings.Default));

        Assert.Equal(StoreFault.Moved, fault.Kind);
        using var there = PolicyStore.Open(There, StoreAccess.Write, server.Time);
        Move(There, back);
        Assert.Equal(StoreFault.Moved, Assert.Throws<StoreException>(() => there.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "test"), PostfixSettings.Default)).Kind);
    }

    [Fact]
    public void No_node_takes_the_store_there_for_another_one()
    {
        using var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(file, Path.Combine(session.Directory, "snapshot")), PostfixSettings.Default, server.Time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        loader.Dispose();
        Move(file, There);

        using var moved = new SnapshotLoader(
            new SnapshotLoaderOptions(server.As(ServerFixture.Node), Path.Combine(session.Directory, "snapshot")), PostfixSettings.Default, server.Time, NullLogger<SnapshotLoader>.Instance);
        moved.Start();

        Assert.Empty(moved.Findings);
        Assert.True(moved.Status!.IsOfStore());
        Assert.Equal(6, moved.Status!.Sequence);
    }

    [Fact]
    public void A_place_where_something_is_is_refused()
    {
        Run(back, "init");

        var refused = Move(file, back);

        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains("another store already", refused.Error, StringComparison.Ordinal);
        Run(file, "domain", "add", "d.example", "--level", "encrypt");
    }

    [Theory]
    [InlineData("finding")]
    [InlineData("audit")]
    public void One_that_is_interrupted_in_the_middle_leaves_nothing_there(string table)
    {
        server.Sql($"ALTER TABLE {table} ADD COLUMN fails BIGINT NOT NULL DEFAULT 1 CHECK (fails = 2)");
        if (table == "finding")
        {
            using var store = PolicyStore.Open(file, StoreAccess.Write, server.Time);
            store.RaiseFinding(new Finding(FindingKind.NearMiss, "a.example", "detail", "remedy", server.Time.GetUtcNow()));
        }

        Assert.NotEqual(ExitCode.Done, Move(file, There).Code);

        Assert.Equal(["0"], server.List("SELECT count(*)::text FROM destination"));
        Run(file, "domain", "add", "d.example", "--level", "encrypt");
        server.Sql($"ALTER TABLE {table} DROP COLUMN fails");
        Assert.Equal(ExitCode.Done, Move(file, There).Code);
    }

    [Fact]
    public void One_whose_server_is_lost_is_used_again()
    {
        Move(file, There);
        Assert.Equal(ExitCode.Usage, session.RunWith("--database", file, "store", "migrate", "--take-back").Code);

        Assert.Equal(ExitCode.Done, session.RunWith("--database", file, "store", "migrate", "--take-back", "--reason", "the server burnt down").Code);

        Run(file, "domain", "add", "d.example", "--level", "encrypt");
        Assert.Equal(ExitCode.Done, session.RunWith("--database", file, "audit", "--verify").Code);
        Assert.Contains("the server burnt down", session.RunWith("--database", file, "--format", "json", "audit").Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, session.RunWith("--database", file, "store", "migrate", "--take-back", "--reason", "again").Code);
    }

    [Fact]
    public void The_server_of_the_configuration_is_a_place()
    {
        session.Write("policydaemon.conf", $"[store]\ndatabase = {file}\npostgresql = {There["postgresql:".Length..]}\n");

        var moved = session.Run("--format", "table", "store", "migrate", "--to", "postgresql");

        Assert.Equal(ExitCode.Done, moved.Code);
        Assert.Contains($"are at {There} now", moved.Out, StringComparison.Ordinal);
        Assert.Contains("engine = postgresql", moved.Out, StringComparison.Ordinal);
    }

    private CliResult Move(string from, string to) => session.RunWith("--database", from, "store", "migrate", "--to", to);

    private string Run(string store, params string[] words)
    {
        var result = session.RunWith(["--database", store, .. words]);
        Assert.True(result.Code == ExitCode.Done, result.Error);
        return result.Out;
    }

    private string StoreId(string store)
    {
        using var opened = PolicyStore.Open(store, StoreAccess.Read, server.Time);
        return opened.StoreId;
    }
}
