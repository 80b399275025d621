using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store that is to go elsewhere, where that is refused, or ends between the copy and the mark: at no moment can both be written.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class UnfinishedMigrationTests : IDisposable
{
    private readonly ServerFixture server = new();
    private readonly CliSession session = new(init: false);
    private readonly string file;
    private readonly string back;

    public UnfinishedMigrationTests()
    {
        file = Path.Combine(session.Directory, "here.db");
        back = Path.Combine(session.Directory, "back.db");
        Run(file, "init");
        Run(file, "domain", "add", "a.example", "b.example", "--level", "secure");
        Run(file, "domain", "remove", "b.example", "--reason", "gone");
    }

    private string There => server.As(ServerFixture.Admin);

    public void Dispose()
    {
        session.Dispose();
        server.Dispose();
    }

    /// <summary>Between the copy, which is whole, and the mark here; or behind that.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_was_interrupted_is_gone_on_with_and_is_nobodys_until_then(bool isMarked)
    {
        var before = PolicyHead(file);
        Interrupt(isMarked);
        // Nobody writes the copy, and it says what it is.
        var refused = session.RunWith("--database", There, "domain", "add", "d.example", "--level", "secure");
        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains($"a copy of {file} on {Environment.MachineName} that 'store migrate' has not finished", refused.Error, StringComparison.Ordinal);
        if (isMarked)
            Assert.Equal(ExitCode.Invalid, session.RunWith("--database", file, "domain", "add", "d.example", "--level", "secure").Code);
        Assert.Contains("would be moved", session.RunWith("--database", file, "store", "migrate", "--to", There, "--dry-run").Error, StringComparison.Ordinal);

        var done = session.RunWith("--database", file, "--format", "json", "store", "migrate", "--to", There, "--reason", "the second run");

        Assert.Equal(ExitCode.Done, done.Code);
        Assert.Equal(before + 1, PolicyHead(There));
        Assert.Contains($"\"sequence\":{before + 1}", done.Out.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(["the second run"], server.List("SELECT c.reason FROM audit a JOIN change c ON c.id = a.change_id WHERE a.action = 'migrate'"));
        Assert.Equal(ExitCode.Invalid, session.RunWith("--database", file, "domain", "add", "d.example", "--level", "secure").Code);
        Run(There, "domain", "add", "d.example", "--level", "secure");
        Assert.Equal(ExitCode.Done, session.RunWith("--database", There, "audit", "--verify").Code);
        Assert.Equal(ExitCode.Invalid, Move(file, There).Code);
    }

    [Fact]
    public void An_interrupted_copy_of_another_state_is_refused()
    {
        Interrupt(isMarked: false);
        Run(file, "domain", "add", "d.example", "--level", "encrypt");

        var refused = Move(file, There);

        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains("of another state", refused.Error, StringComparison.Ordinal);
        Assert.Contains("dropdb", refused.Error, StringComparison.Ordinal);
        Run(file, "domain", "add", "e.example", "--level", "encrypt");
    }

    [Fact]
    public void An_interrupted_copy_whose_source_is_lost_is_used()
    {
        Interrupt(isMarked: true);
        File.Delete(file);

        Run(There, "store", "migrate", "--take-back", "--reason", "mx1 is lost");

        Run(There, "domain", "add", "d.example", "--level", "encrypt");
        Assert.Equal(ExitCode.Done, session.RunWith("--database", There, "audit", "--verify").Code);
    }

    [Theory]
    [InlineData(ServerFixture.Node)]
    [InlineData(ServerFixture.Prober)]
    public void Who_may_not_mark_it_moves_nothing_and_is_told_beforehand(string user)
    {
        Move(file, There);
        var head = PolicyHead(There);

        Assert.All((string[][])[["--dry-run"], []], more =>
        {
            var refused = session.RunWith(["--database", server.As(user), "store", "migrate", "--to", back, .. more]);
            Assert.Equal(ExitCode.Permission, refused.Code);
            Assert.Contains("the identity of the store; nothing was changed", refused.Error, StringComparison.Ordinal);
        });

        Assert.False(File.Exists(back));
        Assert.Equal(head, PolicyHead(There));
        Run(There, "domain", "add", "d.example", "--level", "encrypt");
    }

    [Theory]
    [InlineData(ServerFixture.Node, "", "may not write", true)]
    [InlineData(ServerFixture.Prober, "", "may not write", true)]
    [InlineData(ServerFixture.Nobody, "", "GRANT policydaemon_admin", true)]
    [InlineData(ServerFixture.Admin, "INSERT INTO discovery_notice (key) VALUES ('x')", "rows in the table discovery_notice", false)]
    [InlineData(ServerFixture.Admin, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC", "may make no tables", true)]
    [InlineData(ServerFixture.Admin, "UPDATE schema_version SET version = 99, writable_from = 99 WHERE version = (SELECT max(version) FROM schema_version)", "newer version", false)]
    public void A_place_that_does_not_take_it_is_refused_beforehand(string user, string sql, string said, bool isOfRights)
    {
        if (sql.Length > 0)
            server.Sql(sql);

        Assert.All((string[][])[["--dry-run"], []], more =>
        {
            var refused = session.RunWith(["--database", file, "store", "migrate", "--to", server.As(user), .. more]);
            Assert.Equal(isOfRights ? ExitCode.Permission : ExitCode.Invalid, refused.Code);
            Assert.Contains(said, refused.Error, StringComparison.Ordinal);
        });

        Run(file, "domain", "add", "d.example", "--level", "encrypt");
    }

    [Fact]
    public void A_database_of_another_encoding_is_refused_beforehand()
    {
        using var bare = new ServerFixture(prepare: false);
        bare.Sql("CREATE DATABASE ascii_here TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
        try
        {
            var there = bare.Store[..(bare.Store.IndexOf("dbname=", StringComparison.Ordinal) + "dbname=".Length)] + "ascii_here";
            Assert.Contains("SQL_ASCII", session.RunWith("--database", file, "store", "migrate", "--to", there, "--dry-run").Error, StringComparison.Ordinal);
        }
        finally
        {
            bare.Sql("DROP DATABASE ascii_here");
        }
    }

    private CliResult Move(string from, string to) => session.RunWith("--database", from, "store", "migrate", "--to", to);

    private string Run(string store, params string[] words)
    {
        var result = session.RunWith(["--database", store, .. words]);
        Assert.True(result.Code == ExitCode.Done, result.Error);
        return result.Out;
    }

    private long PolicyHead(string store)
    {
        using var opened = PolicyStore.Open(store, StoreAccess.Read, server.Time);
        return opened.Head().Sequence;
    }

    /// <summary>Has a run fail when its copy is whole.</summary>
    /// <param name="isMarked">Behind the mark here; else before it.</param>
    private void Interrupt(bool isMarked)
    {
        server.Sql("ALTER TABLE audit ADD CONSTRAINT fails CHECK (action <> 'migrate')");
        var failed = session.RunWith("--database", file, "store", "migrate", "--to", There, "--reason", "the first run");
        server.Sql("ALTER TABLE audit DROP CONSTRAINT fails");
        Assert.NotEqual(ExitCode.Done, failed.Code);
        Assert.Contains("run this command again to finish it", failed.Error, StringComparison.Ordinal);
        if (!isMarked)
            Unmark(file);
    }

    private static void Unmark(string store)
    {
        using var opened = EngineChoice.For(store).Open(StoreAccess.Write, null, evenMoved: true);
        using var command = opened.Connection.CreateCommand();
        command.CommandText = "UPDATE store SET moved_to = NULL, moved_at = NULL";
        command.ExecuteNonQuery();
        command.CommandText = "UPDATE schema_version SET writable_from = 9";
        command.ExecuteNonQuery();
    }
}
