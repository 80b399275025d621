using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class StoreAcceptTests
{
    [Fact]
    public void Without_a_reason_nothing_is_accepted()
    {
        using var session = Replaced();

        var result = session.Run("store", "accept");

        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains("--reason", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_dry_run_shows_the_answers_that_would_change()
    {
        using var session = Replaced();

        Assert.Equal(
            """
            new.example	add	(not configured)	encrypt	-
            old.example	remove	secure	(not configured)	-

            """, session.Succeed("store", "accept", "--dry-run"));
        Assert.DoesNotContain("\taccept\t", session.Succeed("audit"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void An_accepted_store_has_a_row_with_who_and_why()
    {
        using var session = Replaced();

        session.Succeed("store", "accept", "--reason", "restored after the disk died");

        var row = session.Succeed("audit", "--limit", "1");
        Assert.StartsWith("3\t2026-11-23T12:00:00Z\talice (root)\taccept\t", row, StringComparison.Ordinal);
        Assert.Contains("\trestored after the disk died\t", row, StringComparison.Ordinal);
        Assert.StartsWith("3 alice (root) ", session.Notes[^1], StringComparison.Ordinal);

        // policyd takes it over by itself; once more is nothing.
        var again = session.Run("store", "accept", "--reason", "restored after the disk died");
        Assert.Contains("nothing to accept", again.Error, StringComparison.Ordinal);
        Assert.Equal(row, session.Succeed("audit", "--limit", "1"));
    }

    /// <summary>As after a failover: for whoever had loaded others behind a row, wherever it runs.</summary>
    [Fact]
    public void What_others_had_behind_a_row_is_given_up_with_a_reason_and_a_row_that_is_there()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "new.example", "--level", "encrypt");

        Assert.Equal(ExitCode.Usage, session.Run("store", "accept", "--after", "1").Code);
        var beyond = session.Run("store", "accept", "--after", "9", "--reason", "db1 died");
        Assert.Equal(ExitCode.Invalid, beyond.Code);
        Assert.Contains("the audit log has no row 9: it ends with row 2", beyond.Error, StringComparison.Ordinal);
        session.Succeed("store", "accept", "--after", "1", "--dry-run");
        Assert.DoesNotContain("\taccept\t", session.Succeed("audit"), StringComparison.Ordinal);

        var done = session.Run("--format", "table", "store", "accept", "--after", "1", "--reason", "db1 died");

        Assert.Equal(ExitCode.Done, done.Code);
        Assert.DoesNotContain("policyctl undo", done.Out + done.Error, StringComparison.Ordinal);
        Assert.Contains("\taccept\t", session.Succeed("audit", "--limit", "1"), StringComparison.Ordinal);
        session.Succeed("audit", "--verify");

        var again = session.Run("store", "accept", "--after", "1", "--reason", "db1 died");
        Assert.Contains("nothing to accept", again.Error, StringComparison.Ordinal);
        Assert.Equal(1, session.Succeed("audit").Split("\taccept\t").Length - 1);
    }

    [Fact]
    public void The_store_that_policyd_knows_needs_no_accepting()
    {
        using var session = new CliSession();
        SaveSnapshot(session);
        session.Succeed("domain", "add", "new.example", "--level", "encrypt");

        var result = session.Run("store", "accept", "--reason", "x");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("nothing to accept", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_last_good_snapshot_there_is_nothing_to_replace()
    {
        using var session = new CliSession();

        Assert.Equal(ExitCode.Invalid, session.Run("store", "accept", "--reason", "x").Code);
    }

    /// <summary>A snapshot of one store, and another store in its place.</summary>
    private static CliSession Replaced()
    {
        var session = new CliSession();
        Replace(session);
        return session;
    }

    /// <summary>Another store lies where policyd knows one that it serves.</summary>
    internal static void Replace(CliSession session)
    {
        SaveSnapshot(session, new SnapshotEntry("old.example", LookupAnswer.Found("secure"), LookupAnswer.Found("secure")));
        foreach (var file in Directory.GetFiles(session.Directory, "policy.db*").Where(file => !file.EndsWith(".snapshot", StringComparison.Ordinal)))
            File.Delete(file);
        session.Succeed("init");
        session.Succeed("domain", "add", "new.example", "--level", "encrypt");
    }

    private static void SaveSnapshot(CliSession session, params SnapshotEntry[] entries)
    {
        using var store = PolicyStore.Open(session.Store, StoreAccess.Read, session.Time);
        var head = store.Head();
        SnapshotFile.Write(
            session.Database + ".snapshot",
            PolicySnapshot.Build(new SnapshotIdentity(store.StoreId, head.Sequence, head.Hash, DigestAlgorithm.Sha256, PostfixVersion.Oldest), entries));
    }
}
