using Microsoft.Data.Sqlite;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class InitTests
{
    [Fact]
    public void A_dry_run_says_what_would_be_made_and_makes_nothing()
    {
        using var session = new CliSession(init: false);

        var result = session.Run("init", "--dry-run");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains($"The store {session.Store} would be created.", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(session.Database));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_dry_run_does_not_promise_what_would_be_refused()
    {
        using var session = new CliSession(init: false);
        Directory.CreateDirectory(session.Database);

        var result = session.Run("init", "--dry-run");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("a directory, not a store", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_existing_store_is_left_as_it_is()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");

        var result = session.Run("init");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("\tno\t", result.Out, StringComparison.Ordinal);
        Assert.Contains("a.example", session.Run("domain", "list").Out, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_of_an_older_version_is_brought_up_to_date()
    {
        using var session = new CliSession(init: false);
        using (var old = new SqliteConnection($"Data Source={session.Database};Pooling=False"))
        {
            old.Open();
            using var dump = old.CreateCommand();
            dump.CommandText = "PRAGMA journal_mode = WAL;" + File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Store", "Fixtures", "0001.sql"));
            dump.ExecuteNonQuery();
        }

        var reading = session.Run("domain", "list");
        Assert.Equal(ExitCode.Invalid, reading.Code);
        Assert.Contains("run policyctl init", reading.Error, StringComparison.Ordinal);
        Assert.Contains("would be brought up to date", session.Run("init", "--dry-run").Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, session.Run("domain", "list").Code);

        Assert.EndsWith("\tyes\n", session.Succeed("init"), StringComparison.Ordinal);
        Assert.Contains("example.com", session.Succeed("domain", "list"), StringComparison.Ordinal);
    }
}
