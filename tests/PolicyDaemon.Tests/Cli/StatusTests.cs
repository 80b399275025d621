using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class StatusTests
{
    [Fact]
    public void Without_a_daemon_the_store_is_counted_and_mail_waits()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        session.Succeed("domain", "add", "b.example", "--level", "fingerprint", "--match", CliSession.Pin, "--observe");

        var result = session.Run("status", "--all");

        Assert.Equal(ExitCode.DaemonNotRunning, result.Code);
        Assert.Equal(
            $"""
            daemon	not running
            mail	policyd does not run: mail waits, every delivery that asks it is deferred (4.7.5) and tried again. Start it: systemctl start policyd
            store	{session.Store}: 2 destinations (1 only observed), audit log at row 3
            levels	1 encrypt, 1 fingerprint
            verdicts	1 not probed
            observed	1 not probed
            pins	1 standby

            """, result.Out);
    }

    [Fact]
    public void A_key_that_no_entry_decides_about_is_not_one_about_which_all_is_well()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".a.example", "--level", "encrypt");
        using var running = Run(session, "store", 2);

        var result = session.Run("status", "nosuch.example", "--format", "table");
        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("nosuch.example has no entry, and none decides about it", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, session.Run("status", "x.a.example").Code);

        Assert.Equal(ExitCode.Usage, session.Run("status", "-k").Code);
        Assert.Contains("policyctl status has no option '-k'", session.Run("status", "-k").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_store_is_said_with_what_mail_gets()
    {
        using var session = new CliSession(init: false);

        var result = session.Run("status", "--all");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("policyctl init", result.Out, StringComparison.Ordinal);
        Assert.Contains("from the last good snapshot", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_store_is_said()
    {
        using var session = new CliSession(init: false);
        File.WriteAllText(session.Database, "this is no database, whatever its name says. " + new string('x', 4096));

        var result = session.Run("status", "--all");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"store\t{session.Store}", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_daemon_is_shown_as_it_says()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        using var running = Run(session, "store", 2);

        var result = session.Run("status", "--all");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("daemon\trunning, process 4711, version 1.2.3, since 2026-11-23T11:00:00Z\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("mail\tpolicies are answered as the store has them\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("listening\tsocketmap inet:127.0.0.1:8461\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_behind_the_store_is_said()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        using var running = Run(session, "store", 1);

        Assert.Contains("the newest changes take effect within a second", session.Succeed("status", "--all"), StringComparison.Ordinal);
        Assert.Contains("\"behind\": 1,", session.Succeed("status", "--format", "json"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_on_its_last_good_snapshot_is_said()
    {
        using var session = new CliSession();
        using var running = Run(session, "file", 1);

        Assert.Contains("mail\tpolicies are answered from the last good snapshot; changes do not take effect", session.Succeed("status", "--all"), StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_of_store_and_daemon_are_shown_once_each_with_the_command_that_settles_them()
    {
        using var session = new CliSession();
        using (var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time))
            store.RaiseFinding(new Finding(FindingKind.NearMiss, "mx.example", "asked 3 times", "policyctl explain mx.example", session.Time.GetUtcNow()));
        using var running = Run(
            session, "store", 1,
            new FindingJson("near-miss", "mx.example", "asked 3 times", "policyctl explain mx.example", session.Time.GetUtcNow()),
            new FindingJson("snapshot-not-saved", "disk", "no space left", "make room", session.Time.GetUtcNow()));

        Assert.EndsWith(
            """

            2 open findings:
            snapshot-not-saved  disk  look at it, since 2026-11-23T12:00:00Z (just now)
              no space left
              settle it: make room
            near-miss  mx.example  look at it, since 2026-11-23T12:00:00Z (just now)
              asked 3 times
              settle it: policyctl explain mx.example

            """, session.Succeed("status", "--all", "--format", "table"), StringComparison.Ordinal);
        Assert.StartsWith(
            """
            2 things need a person.

            MAIL        WHOM        SINCE  WHAT
            look at it  disk        now    snapshot-not-saved: no space left
                make room
            look at it  mx.example  now    near-miss: asked 3 times
                policyctl explain mx.example

            daemon   running, process 4711, version 1.2.3, since 2026-11-23T11:00:00Z
            answers  policies are answered as the store has them; 1 found, 2 not found, 3 temporary
            store    
            """.TrimEnd(), session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_prober_is_shown_with_its_resolver_and_its_brake()
    {
        using var session = new CliSession();
        using var running = Run(session, "store", 1);
        var file = session.Database + ".status";
        var at = session.Time.GetUtcNow();
        var prober = new ProberStatus(
            "on", null, 500, 3, 20, at, new ResolverStatus(["192.0.2.53:53"], true, false, at, "www.example did not come back secure"), new BrakeStatus(true, 100, 20), 2);
        DaemonStatusFile.Write(file, DaemonStatusFile.TryRead(file)! with { Prober = prober });

        var shown = session.Succeed("status", "--all");

        Assert.Contains("prober\tprobes 500 destinations, 3 now, 20 due; last caught up at 2026-11-23T12:00:00Z\n", shown, StringComparison.Ordinal);
        Assert.Contains("brake\ton: by now 20 of 100 MX hosts of pinned", shown, StringComparison.Ordinal);
        Assert.Contains("resolver\ttrusted, but its self-test fails: www.example did not come back secure\n", shown, StringComparison.Ordinal);
        Assert.Contains("alerts\t2 wait to be delivered\n", shown, StringComparison.Ordinal);
        Assert.Contains("\"self_test_passed\": false", session.Succeed("status", "--format", "json"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_words_of_a_dead_daemon_are_not_repeated()
    {
        using var session = new CliSession();
        Run(session, "store", 1, new FindingJson("snapshot-not-saved", "disk", "no space left", "make room", session.Time.GetUtcNow())).Dispose();

        var result = session.Run("status");

        Assert.Equal(ExitCode.DaemonNotRunning, result.Code);
        Assert.DoesNotContain("no space left", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("listening", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void What_the_file_of_the_daemon_has_of_the_store_counts_only_where_the_store_cannot_be_read()
    {
        using var session = new CliSession();
        // It settled a moment ago.
        using var running = Run(session, "store", 1, new FindingJson("new-key", "a.example", "a key", "policyctl pin approve a.example", session.Time.GetUtcNow()) { LastSeen = session.Time.GetUtcNow() });

        Assert.DoesNotContain("new-key", session.Run("status").Out, StringComparison.Ordinal);

        File.WriteAllText(session.Database, "this is no database, whatever its name says. " + new string('x', 4096));
        Assert.Contains("new-key", session.Run("status").Out, StringComparison.Ordinal);
    }

    /// <summary>A daemon, as far as its lock and its status file go.</summary>
    internal static DaemonLock Run(CliSession session, string source, long sequence, params FindingJson[] findings)
    {
        var file = session.Database + ".status";
        var running = DaemonLock.TryTake(file);
        Assert.NotNull(running);
        DaemonStatusFile.Write(file, new DaemonStatus(
            "1.2.3",
            4711,
            session.Time.GetUtcNow().AddHours(-1),
            session.Time.GetUtcNow(),
            ["socketmap inet:127.0.0.1:8461"],
            new SnapshotStatus(source, "store", sequence, AuditHead.Empty.Hash, 1, session.Time.GetUtcNow()),
            new LookupCounts(1, 2, 3, 4, 5, new ConnectionCounts(6, 5, 4, 3, 2, 1), 7),
            findings));
        return running;
    }
}
