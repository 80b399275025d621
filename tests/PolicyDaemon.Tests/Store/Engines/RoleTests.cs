using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>What is handed to the administrator of a server, and what each role may and may not do.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class RoleTests(RoleTests.Prepared prepared) : IClassFixture<RoleTests.Prepared>
{
    [Fact]
    public void What_the_administrator_is_handed_may_be_run_twice()
    {
        using var server = new ServerFixture();

        server.Prepare();

        Assert.Equal(
            PostgreSqlRoles.Tables.Select(table => $"{table.Table} policydaemon_owner").Order(StringComparer.Ordinal),
            server.List("SELECT tablename || ' ' || tableowner FROM pg_tables WHERE schemaname = 'public'").Order(StringComparer.Ordinal));
        Assert.Equal(
            PostgreSqlRoles.Functions.Select(function => $"{function} policydaemon_owner").Order(StringComparer.Ordinal),
            server.List("SELECT proname || ' ' || pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace").Order(StringComparer.Ordinal));
    }

    /// <summary>Who is handed it is not always all-powerful: whoever owns the database and may make roles.</summary>
    [Fact]
    public void The_owner_of_the_database_may_run_it()
    {
        using var server = new ServerFixture(prepare: false);
        var name = server.Store[(server.Store.LastIndexOf('=') + 1)..];
        server.Sql("CREATE ROLE the_dba LOGIN CREATEROLE");
        server.Sql($"ALTER DATABASE {name} OWNER TO the_dba");

        server.Prepare("the_dba");

        PolicyStore.Create(server.As(ServerFixture.Admin), Alice, server.Time).Dispose();
        server.Sql($"ALTER DATABASE {name} OWNER TO policydaemon; DROP OWNED BY the_dba; DROP ROLE the_dba");
    }

    [Fact]
    public void A_database_of_another_encoding_is_refused()
    {
        using var server = new ServerFixture(prepare: false);
        server.Sql("CREATE DATABASE latin_here TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        try
        {
            var said = server.Psql("policydaemon", "\\connect latin_here\n" + StorePlace.ServerSchema());
            Assert.Contains("--encoding=UTF8", said, StringComparison.Ordinal);
        }
        finally
        {
            server.Sql("DROP DATABASE latin_here");
        }
    }

    [Fact]
    public void A_store_is_made_in_the_tables_that_are_there()
    {
        using var server = new ServerFixture();
        using var session = new CliSession(init: false);
        Assert.Contains("no store in them yet", session.RunWith("--database", server.As(ServerFixture.Node), "domain", "list").Error, StringComparison.Ordinal);
        Assert.Contains("would be created", session.RunWith("--database", server.As(ServerFixture.Admin), "init", "--dry-run").Error, StringComparison.Ordinal);

        var made = session.RunWith("--format", "table", "init", "--postgresql", server.As(ServerFixture.Admin)["postgresql:".Length..]);

        Assert.Equal(ExitCode.Done, made.Code);
        Assert.Contains("in the tables that were there", made.Out, StringComparison.Ordinal);
        Assert.Contains("engine = postgresql", made.Out, StringComparison.Ordinal);
        Assert.Contains("is there already", session.RunWith("--format", "table", "--database", server.As(ServerFixture.Node), "init").Out, StringComparison.Ordinal);
        using var store = server.Open(ServerFixture.Node, StoreAccess.Read);
        Assert.Null(store.VerifyAudit().Problem);
    }

    [Fact]
    public void Who_may_make_no_tables_is_told_what_to_hand_on()
    {
        using var server = new ServerFixture(prepare: false);
        using var session = new CliSession(init: false);

        var refused = session.RunWith("--database", server.As(ServerFixture.Admin), "init");

        Assert.Equal(ExitCode.Permission, refused.Code);
        Assert.Contains("store schema", refused.Error, StringComparison.Ordinal);
        Assert.Empty(server.List("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"));
    }

    /// <summary>Whoever may make them leaves them to the owner that all share, and with the rights of the roles.</summary>
    [Fact]
    public void Tables_that_init_makes_belong_to_the_owner_and_have_the_same_rights()
    {
        using var server = new ServerFixture(prepare: false);
        server.Sql("GRANT CREATE ON SCHEMA public TO policydaemon_owner");

        PolicyStore.Create(server.As(ServerFixture.Owner), Alice, server.Time).Dispose();

        const string Rights =
            """
            SELECT c.relname || ' ' || pg_get_userbyid(c.relowner) || ' ' || coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) a), '') FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'S') ORDER BY 1
            """;
        Assert.Equal(prepared.Server.List(Rights), server.List(Rights));
    }

    /// <summary>One thing each: a statement, and whether the role may.</summary>
    [Theory]
    [InlineData(ServerFixture.Node, "SELECT key FROM destination", true)]
    [InlineData(ServerFixture.Node, "SELECT 1 FROM audit_head WHERE id = 1 FOR UPDATE", true)]
    [InlineData(ServerFixture.Node, "UPDATE audit_head SET sequence = 9", false)]
    [InlineData(ServerFixture.Node, "UPDATE audit_head SET id = 2", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO pin (destination_id, position, fingerprint, subject, state, since) VALUES (1, 0, 'aa', 'unknown', 'active', 0)", false)]
    [InlineData(ServerFixture.Node, "UPDATE pin SET state = 'active'", false)]
    [InlineData(ServerFixture.Node, "UPDATE destination SET level = 'may'", false)]
    [InlineData(ServerFixture.Node, "DELETE FROM destination", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO audit SELECT * FROM audit", false)]
    [InlineData(ServerFixture.Node, "UPDATE store SET store_id = 'x'", false)]
    [InlineData(ServerFixture.Node, "UPDATE probe_state SET next_due = 0", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO discovered (key, used, protected, memory) VALUES ('x', 0, 0, '{}')", false)]
    [InlineData(ServerFixture.Node, "DELETE FROM finding", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences) VALUES ('near-miss', 'x', 'd', 'r', 0, 0, 1)", true)]
    [InlineData(ServerFixture.Node, "UPDATE finding SET closed = 1", true)]
    [InlineData(ServerFixture.Node, "CREATE TABLE mine (id BIGINT)", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO probe_request (key, at) VALUES ('x', 0)", true)]
    [InlineData(ServerFixture.Node, "INSERT INTO probe_lease (vantage, holder, instance, epoch, expires) VALUES ('default', 'x', 'x', 1, 0)", false)]
    [InlineData(ServerFixture.Node, "INSERT INTO probe_claim (address, holder, expires) VALUES ('192.0.2.1', 'x', 0)", false)]
    [InlineData(ServerFixture.Prober, "INSERT INTO probe_lease (vantage, holder, instance, epoch, expires) VALUES ('default', 'x', 'x', 1, 0)", true)]
    [InlineData(ServerFixture.Prober, "UPDATE pin SET state = 'active'", true)]
    [InlineData(ServerFixture.Prober, "DELETE FROM destination WHERE key = 'x'", true)]
    [InlineData(ServerFixture.Prober, "INSERT INTO destination (key, host, level, mode, observe) VALUES ('x', 'x', 'may', 'assist', 0)", false)]
    [InlineData(ServerFixture.Prober, "INSERT INTO discovered (key, used, protected, memory) VALUES ('x', 0, 0, '{}')", true)]
    [InlineData(ServerFixture.Prober, "DELETE FROM audit", false)]
    [InlineData(ServerFixture.Prober, "UPDATE audit SET hash = 'x'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE store SET store_id = 'x'", false)]
    [InlineData(ServerFixture.Prober, "UPDATE schema_version SET readable_from = 99", false)]
    [InlineData(ServerFixture.Prober, "ALTER TABLE audit DISABLE TRIGGER ALL", false)]
    [InlineData(ServerFixture.Admin, "INSERT INTO destination (key, host, level, mode, observe) VALUES ('x', 'x', 'may', 'assist', 0)", true)]
    [InlineData(ServerFixture.Admin, "DELETE FROM audit", false)]
    [InlineData(ServerFixture.Admin, "UPDATE change SET actor = 'x'", false)]
    [InlineData(ServerFixture.Admin, "TRUNCATE audit", false)]
    [InlineData(ServerFixture.Admin, "DROP TRIGGER audit_no_delete ON audit", false)]
    [InlineData(ServerFixture.Admin, "ALTER TABLE destination ADD COLUMN x BIGINT", false)]
    [InlineData(ServerFixture.Admin, "CREATE TABLE mine (id BIGINT)", false)]
    [InlineData(ServerFixture.Owner, "ALTER TABLE destination ADD COLUMN x BIGINT", true)]
    [InlineData(ServerFixture.Nobody, "SELECT key FROM destination", false)]
    public void A_role_may_do_what_is_its_part(string user, string sql, bool isAllowed)
    {
        var state = prepared.Server.Try(user, sql);

        // 23514: in the column that a node may write to lock the row, nothing but what is there is allowed.
        Assert.Equal(isAllowed ? null : sql.Contains("SET id", StringComparison.Ordinal) ? "23514" : "42501", state);
    }

    [Theory]
    [InlineData(ServerFixture.Node, "policydaemon_node")]
    [InlineData(ServerFixture.Prober, "policydaemon_prober")]
    public void A_machine_changes_no_entry_and_says_who_may(string user, string role)
    {
        using var server = new ServerFixture(init: true);
        using var session = new CliSession(init: false);

        var refused = session.RunWith("--database", server.As(user), "domain", "add", "a.example", "--level", "secure");

        Assert.Equal(ExitCode.Permission, refused.Code);
        Assert.Contains($"the user {user} ({role}) may not write ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("the entries", refused.Error, StringComparison.Ordinal);
        Assert.Contains($"GRANT policydaemon_admin TO {user}", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--database", refused.Error, StringComparison.Ordinal);
        Assert.Empty(server.List("SELECT key FROM destination"));
        Assert.Equal(ExitCode.Done, session.RunWith("--database", server.As(user), "domain", "list").Code);
    }

    [Fact]
    public void A_user_without_a_role_is_told_which_there_are()
    {
        using var server = new ServerFixture(init: true);

        var fault = Assert.Throws<StoreException>(() => server.Open(ServerFixture.Nobody, StoreAccess.Read));

        Assert.Equal(StoreFault.Permission, fault.Kind);
        Assert.Contains("GRANT policydaemon_admin TO nobody_here", fault.Message, StringComparison.Ordinal);
        Assert.Contains("policydaemon_node", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_follows_tells_its_findings_and_discovers_for_itself()
    {
        using var server = new ServerFixture(init: true);
        var directory = Directory.CreateTempSubdirectory("policydaemon-node");
        using var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(server.As(ServerFixture.Node), Path.Combine(directory.FullName, "snapshot")), PostfixSettings.Default, server.Time,
            NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        Put(server, Pinned("a.example", Pin(PinA)));

        loader.Poll();

        Assert.Equal(1, loader.Current!.Count);
        using (var ledger = new ProbeLedger(server.As(ServerFixture.Node), PostfixSettings.Default, server.Time))
        {
            ledger.Record([new Finding(FindingKind.DnsTrouble, "prober", "detail", "remedy", server.Time.GetUtcNow())]);
            Assert.Throws<LedgerUnavailableException>(() => ledger.Record(Seen(server)));
            // Said of that one, and of no other that waits with it.
            ledger.Record([]);
            var discovered = new DiscoveredStore(ledger, server.Time);
            Assert.Empty(discovered.ReadNotices(10));
            server.Sql("INSERT INTO discovery_notice (key) VALUES ('b.example')");
            var notice = Assert.Single(discovered.ReadNotices(10));
            await discovered.RemoveNoticesAsync(notice.Id);
            Assert.Empty(discovered.ReadNotices(10));
        }

        Assert.Equal(["dns-trouble"], server.List("SELECT kind FROM finding WHERE closed IS NOT NULL"));
        directory.Delete(recursive: true);
    }

    /// <summary>Also while another one has the lease: nobody is to count on it.</summary>
    [Fact]
    public void A_node_that_may_not_take_the_lease_does_not_say_that_it_waits_for_its_turn()
    {
        using var server = new ServerFixture(init: true);
        foreach (var user in (string[])[ServerFixture.Prober, ServerFixture.Node])
        {
            using var lease = new ProberLease("default", user, user + "-1", TimeProvider.System);
            using var member = new FleetMember(server.As(user), user, "default", user + "-1", "1.0.0", lease, TimeProvider.System, new Random(1));
            member.Step(new NodeFacts(MayProbe: true, "sha256", 1), ["wanted.example"]);
            Assert.Equal(user == ServerFixture.Prober, lease.IsHeld);
            if (user == ServerFixture.Prober)
                Assert.Null(member.Refusal);
            else
                Assert.Contains($"GRANT policydaemon_prober TO {user}", member.Refusal, StringComparison.Ordinal);
        }

        Assert.Equal([(ServerFixture.Prober, true), (ServerFixture.Node, false)], NodeState.Read(server.Store).Select(node => (node.Name, node.MayProbe)));
        Assert.Equal([ServerFixture.Node], NodeState.Read(server.Store).Where(node => node.IsRefused).Select(node => node.Name));
    }

    [Fact]
    public void A_prober_moves_pins_and_the_log_says_so()
    {
        using var server = new ServerFixture(init: true);
        Put(server, Pinned("a.example", LedgerFixture.Pin(0), LedgerFixture.Pin(1, PinState.Candidate)));
        using (var ledger = new ProbeLedger(server.As(ServerFixture.Prober), PostfixSettings.Default, server.Time))
        {
            ledger.Record(Seen(server));
            ledger.Record(new ProbeResult
            {
                Key = NextHop.Parse("a.example"),
                At = server.Time.GetUtcNow(),
                Resolution = LedgerFixture.Resolution("a.example", server.Time.GetUtcNow(), 1),
                Targets = [new MxTarget("mx1.example", LedgerFixture.Target(1), server.Time.GetUtcNow())],
                SecureSince = null,
                WasSecure = false,
                TrustedHosts = null,
                Result = new RotationResult(
                    [LedgerFixture.Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)], [], DestinationVerdict.Ok, false, false, null),
                NextDue = server.Time.GetUtcNow().AddHours(4),
            });
        }

        using var store = server.Open(ServerFixture.Node, StoreAccess.Read);
        Assert.Equal([PinState.Active, PinState.Active], store.Find(NextHop.Parse("a.example"))!.Pins.Select(pin => pin.State));
        Assert.Null(store.VerifyAudit().Problem);
    }

    /// <summary>A store in which nothing that is tried stays.</summary>
    public sealed class Prepared : IDisposable
    {
        internal ServerFixture Server { get; } = new(init: true);

        public void Dispose() => Server.Dispose();
    }

    private static void Put(ServerFixture server, Destination destination)
    {
        using var store = server.Open(ServerFixture.Admin);
        using var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
        change.Put(destination);
        change.Commit();
    }

    private static Observation Seen(ServerFixture server) => new()
    {
        Target = LedgerFixture.Target(1),
        At = server.Time.GetUtcNow(),
        Outcome = ProbeOutcome.Secured,
        Stage = ProbeStage.Quit,
        Timings = [],
        Transcript = [],
        Certificates = [new PresentedCertificate(LedgerFixture.Certificate(1), [], ChainVerdict.NotTrusted, null, "TLSv1.3", "TLS_AES_256_GCM_SHA384")],
    };
}
