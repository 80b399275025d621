using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>What a role may do to single rows of a table that it may write.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class RowRightTests(RowRightTests.Prepared prepared) : IClassFixture<RowRightTests.Prepared>
{
    [Theory]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET note = note WHERE key = 'kept.example'", true)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET level = 'may' WHERE key = 'kept.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET note = 'x' WHERE key = 'kept.example'", false)]
    [InlineData(ServerFixture.Prober, "DELETE FROM destination WHERE key = 'kept.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET valid_until = 1 WHERE key = 'kept.example'", false)]
    [InlineData(ServerFixture.Prober, "DELETE FROM destination WHERE key = 'later.example'", false)]
    [InlineData(ServerFixture.Prober, "DELETE FROM destination WHERE key = 'over.example'", true)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET valid_until = NULL WHERE key = 'over.example'", false)]
    [InlineData(ServerFixture.Prober, "DELETE FROM destination WHERE key = 'was.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET level = 'secure', attributes = '{\"match\": [\"a\"]}', observe = 1, valid_until = NULL, former = NULL WHERE key = 'was.example'", true)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET level = 'may', attributes = '{\"match\": [\"a\"]}', observe = 1, valid_until = NULL, former = NULL WHERE key = 'was.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET level = 'secure', attributes = '{\"match\": [\"b\"]}', observe = 1, valid_until = NULL, former = NULL WHERE key = 'was.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE destination SET level = 'secure', attributes = '{\"match\": [\"a\"]}', observe = 1, valid_until = NULL WHERE key = 'was.example'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE finding SET closed = 1", true)]
    [InlineData(ServerFixture.Prober, "UPDATE node SET version = 'x' WHERE name = 'node1'", true)]
    [InlineData(ServerFixture.Prober, "UPDATE node SET version = 'x' WHERE name = 'node2'", false)]
    [InlineData(ServerFixture.Node, "UPDATE node SET version = 'x' WHERE name = 'node2'", true)]
    [InlineData(ServerFixture.Node, "UPDATE node SET name = 'node3' WHERE name = 'node2'", false)]
    [InlineData(ServerFixture.Node, "UPDATE node SET name = 'x' WHERE name = 'node1'", false)]
    [InlineData(ServerFixture.Node, "UPDATE node SET version = 'x' WHERE name = 'node1'", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences, node) VALUES ('near-miss', 'x', 'd', 'r', 0, 0, 1, 'node1')", false)]
    [InlineData(ServerFixture.Admin, "UPDATE destination SET level = 'may'", true)]
    [InlineData(ServerFixture.Admin, "DELETE FROM node WHERE name = 'node1'", true)]
    public void A_role_may_do_what_is_its_part(string user, string sql, bool isAllowed) =>
        Assert.Equal(isAllowed ? null : "42501", prepared.Server.Try(user, sql));

    /// <summary>A node leaves the findings of others, and those of whoever probes, as they are.</summary>
    [Fact]
    public void A_node_writes_its_own_findings_and_leaves_the_others()
    {
        using var server = new ServerFixture(init: true);
        var (own, others) = (Told("own.example", "node2"), Told("other.example", "node1"));
        Beat(server, ServerFixture.Prober, "node1");
        Beat(server, ServerFixture.Node, "node2");
        using (var prober = server.Open(ServerFixture.Prober))
        {
            prober.RaiseFinding(others);
            prober.RaiseFinding(Told("all.example", null));
        }

        using (var node = server.Open(ServerFixture.Node))
        {
            node.RaiseFinding(own);
            node.RaiseFinding(Told("found.example", null));
            // What is known already has not failed; and it is whoever probes that tells it.
            node.RaiseFinding(Told("all.example", null));
            Assert.Equal(StoreFault.Permission, Assert.Throws<StoreException>(() => node.RaiseFinding(Told("new.example", "node1"))).Kind);
            foreach (var (subject, of) in ((string, string?)[])[("own.example", "node2"), ("found.example", null)])
                Assert.True(node.CloseFinding(FindingKind.NearMiss, subject, of));
            foreach (var (subject, of) in ((string, string?)[])[("other.example", "node1"), ("all.example", null)])
                Assert.False(node.CloseFinding(FindingKind.NearMiss, subject, of));
        }

        Assert.Equal(["all.example", "other.example"], server.List("SELECT subject FROM finding WHERE closed IS NULL ORDER BY subject"));
        Assert.Equal(["1"], server.List("SELECT occurrences::text FROM finding WHERE subject = 'all.example'"));

        Finding Told(string subject, string? node) => new(FindingKind.NearMiss, subject, "detail", "remedy", server.Time.GetUtcNow()) { Node = node };
    }

    [Fact]
    public void The_name_of_a_node_is_that_of_its_user_until_it_is_removed()
    {
        using var server = new ServerFixture(init: true);
        Beat(server, ServerFixture.Prober, "node1");
        Beat(server, ServerFixture.Prober, "node1");

        var refused = Assert.Throws<StoreException>(() => Beat(server, ServerFixture.Node, "node1"));

        Assert.Equal(StoreFault.Permission, refused.Kind);
        Assert.Contains("policyctl node remove node1", refused.Message, StringComparison.Ordinal);
        using (var tables = EngineChoice.For(server.As(ServerFixture.Admin)).OpenFleet(StoreAccess.Write)!)
            Assert.True(tables.RemoveNode("node1"));
        Beat(server, ServerFixture.Node, "node1");
    }

    [Fact]
    public void A_prober_ends_an_entry_and_changes_none_through_policyctl()
    {
        using var server = new ServerFixture(init: true);
        using var session = new CliSession(init: false);
        using (var store = server.Open(ServerFixture.Admin))
        {
            using var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
            change.Put(Pinned("a.example", LedgerFixture.Pin(0)));
            change.Commit();
        }

        Assert.All(
            (string[][])[["domain", "set", "a.example", "--level", "may", "--reason", "x"], ["domain", "remove", "a.example", "--reason", "x"]],
            words =>
            {
                var refused = session.RunWith(["--database", server.As(ServerFixture.Prober), .. words]);
                Assert.Equal(ExitCode.Permission, refused.Code);
                Assert.Contains("the entries", refused.Error, StringComparison.Ordinal);
            });

        Assert.Equal(["a.example fingerprint"], server.List("SELECT key || ' ' || level FROM destination"));
        using (var store = server.Open(ServerFixture.Admin))
        {
            using var change = store.BeginChange(new ChangeOrigin(Alice, "test", "a while"), PostfixSettings.Default);
            var entry = change.Find(NextHop.Parse("a.example"))!;
            var until = server.Time.GetUtcNow().AddHours(1);
            change.Put(new Destination { Key = NextHop.Parse("b.example"), Policy = new TlsPolicy { Level = TlsLevel.Encrypt }, Until = until });
            change.Put(entry with { Policy = new TlsPolicy { Level = TlsLevel.Encrypt }, Until = until, Former = new FormerPolicy(entry.Policy, entry.Floor, entry.Observe) });
            change.Commit();
        }

        server.Sql("UPDATE destination SET valid_until = 1");
        var past = DateTimeOffset.FromUnixTimeSeconds(1);
        using (var prober = server.Open(ServerFixture.Prober))
        {
            Assert.NotNull(EndedEntries.Write(
                prober, [new EndedEntry("a.example", past), new EndedEntry("b.example", past)],
                new ChangeOrigin(Alice, "test", "over") { IsAutomation = true }, PostfixSettings.Default));
        }

        Assert.Equal(["a.example fingerprint"], server.List("SELECT key || ' ' || level FROM destination"));
    }

    private static void Beat(ServerFixture server, string user, string node)
    {
        using var tables = EngineChoice.For(server.As(user)).OpenFleet(StoreAccess.Write)!;
        tables.Beat(new NodeRow(node, node + "-1", "1.0.0", "default", 1, "sha256", 1, 0, 0));
    }

    /// <summary>A store in which nothing that is tried stays.</summary>
    public sealed class Prepared : IDisposable
    {
        public Prepared()
        {
            Server.Sql(
                """
                INSERT INTO destination (key, host, level, attributes, mode, observe, valid_until, former) VALUES
                    ('kept.example', 'kept.example', 'secure', NULL, 'assist', 0, NULL, NULL),
                    ('later.example', 'later.example', 'secure', NULL, 'assist', 0, extract(epoch FROM clock_timestamp()) + 600, NULL),
                    ('over.example', 'over.example', 'secure', NULL, 'assist', 0, 1, NULL),
                    ('was.example', 'was.example', 'encrypt', NULL, 'assist', 0, 1, '{"level": "secure", "match": ["a"], "observe": true}')
                """);
            Beat(Server, ServerFixture.Prober, "node1");
            Beat(Server, ServerFixture.Node, "node2");
        }

        internal ServerFixture Server { get; } = new(init: true);

        public void Dispose() => Server.Dispose();
    }
}
