using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>The machine's daemon comes to the server as a node, whoever administers as somebody else (<c>--database</c>): it is the same store, and what lies beside the daemon counts.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class OtherUserTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-user").FullName;
    private readonly ServerFixture server = new(init: true);
    private readonly CliSession session = new(init: false);
    private readonly DaemonLock running;

    public OtherUserTests()
    {
        Put(FleetNode.Known);
        // What DaemonHost.Build does not do: it is the lock that tells that a daemon runs.
        running = DaemonLock.TryTake(StatusFile)!;
    }

    [Fact]
    public async Task A_change_is_waited_for_and_the_daemon_is_said_to_run()
    {
        await using var node = await StartAsync();

        var changed = Administer("domain", "add", "a.example", "--level", "secure");
        Assert.Equal(ExitCode.Done, changed.Code);
        Assert.DoesNotContain("does not run", changed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("on this machine", changed.Error, StringComparison.Ordinal);

        await node.LiveAsync("a.example");
        await Until.TrueAsync(() => DaemonStatusFile.TryRead(StatusFile)?.Snapshot?.Sequence == node.Loader.Status!.Sequence, what: "the daemon says so");
        Assert.Equal(ExitCode.Done, Administer("domain", "set", "a.example", "--level", "secure", "--wait", "1").Code);
        session.Time.AdjustTime(TimeProvider.System.GetUtcNow());
        var status = Administer("--format", "table", "status");
        Assert.DoesNotContain("not running", status.Out, StringComparison.Ordinal);
        Assert.Contains("policies are answered", status.Out, StringComparison.Ordinal);
        await node.StopAsync();
    }

    [Fact]
    public async Task What_a_fork_would_change_here_is_shown_and_accepted_once()
    {
        long kept;
        await using (var node = await StartAsync())
        {
            using (var opened = server.Open(ServerFixture.Admin, StoreAccess.Read))
                kept = opened.Head().Sequence;
            Put("lost.example");
            await node.LiveAsync("lost.example");
            await node.StopAsync();
        }

        // As a failover does that lost the row: its change is gone, and others came in its place.
        server.Sql("ALTER TABLE audit DISABLE TRIGGER audit_no_delete");
        server.Sql($"DELETE FROM audit WHERE sequence > {kept}");
        server.Sql("DELETE FROM destination WHERE key = 'lost.example'");
        server.Sql($"UPDATE audit_head SET sequence = {kept}, hash = (SELECT hash FROM audit WHERE sequence = {kept})");
        Put("new.example");
        var later = kept.ToString(System.Globalization.CultureInfo.InvariantCulture);

        var shown = Administer("store", "accept", "--after", later, "--dry-run");
        Assert.Equal("new.example\tadd\t(not configured)\tsecure\t-\nlost.example\tremove\tsecure\t(not configured)\t-\n", shown.Out);
        Assert.Equal(shown.Out, Administer("store", "accept", "--dry-run").Out);

        Assert.Equal(ExitCode.Done, Administer("store", "accept", "--after", later, "--reason", "db1 died").Code);
        var again = Administer("store", "accept", "--after", later, "--reason", "db1 died");
        Assert.Equal(ExitCode.Done, again.Code);
        Assert.Contains("nothing to accept", again.Error, StringComparison.Ordinal);

        // Without --after, where the machine knows no row before: once, too.
        Assert.Equal(ExitCode.Done, Administer("store", "accept", "--reason", "db1 died").Code);
        Assert.Contains("nothing to accept", Administer("store", "accept", "--reason", "db1 died").Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_another_store_it_is_said_that_the_daemon_has_nothing_to_do_with_it()
    {
        await using var node = await StartAsync();
        using var other = new ServerFixture(init: true);
        string[] words = ["--config", Path.Combine(directory, "node.conf"), "--database", other.As(ServerFixture.Admin)];

        var changed = session.RunWith([.. words, "domain", "add", "a.example", "--level", "secure"]);
        Assert.Contains("policyd on this machine answers from another store, postgresql:", changed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("does not run", changed.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.DaemonNotRunning, session.RunWith([.. words, "domain", "add", "b.example", "--level", "secure", "--wait", "5"]).Code);
        Assert.Contains("answers from another store", session.RunWith([.. words, "store", "accept", "--reason", "x"]).Error, StringComparison.Ordinal);
        await node.StopAsync();
    }

    public void Dispose()
    {
        running.Dispose();
        session.Dispose();
        server.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private string StatusFile => Path.Combine(directory, "policy.db.status");

    private Task<FleetNode> StartAsync() => FleetNode.StartAsync(server.As(ServerFixture.Node), directory);

    private CliResult Administer(params IReadOnlyList<string> words) =>
        session.RunWith(["--config", Path.Combine(directory, "node.conf"), "--database", server.As(ServerFixture.Admin) + " application_name=other", .. words]);

    private void Put(string key) => new FleetStore(server.As(ServerFixture.Admin)).Put(key);
}
