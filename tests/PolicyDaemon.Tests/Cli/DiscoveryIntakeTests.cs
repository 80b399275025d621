using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class DiscoveryIntakeTests
{
    [Fact]
    public void Each_command_names_the_files_that_it_takes()
    {
        using var session = new CliSession();

        Assert.Contains("postfix-mta-sts-resolver's cache (an SQLite database), or a list of domains", session.Run("discovery", "import", session.Directory + "/none").Error, StringComparison.Ordinal);
        Assert.Contains("a list of domains, or a mail log", session.Run("discovery", "warm", session.Directory + "/none").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_policies_that_another_daemon_keeps_are_kept_until_they_expire()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var cache = Cache(
            session,
            ("sts.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.sts.example", "*.mail.example")),
            ("old.example", Ago(session, TimeSpan.FromDays(8)), Body("enforce", 604800, "mx.old.example")),
            ("trying.example", Ago(session, TimeSpan.FromDays(2)), Body("testing", 604800, "mx.trying.example")),
            ("broken.example", Ago(session, TimeSpan.FromDays(2)), "[]"),
            ("line.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.line.example\\nmx: evil.example")),
            ("ahead.example", Ago(session, TimeSpan.FromDays(-2)), Body("enforce", 604800, "mx.ahead.example")),
            ("printer.local", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.printer.example")));

        var dry = session.Run("discovery", "import", "--dry-run", cache);
        Assert.Equal("would be taken over\t1\nknown already\t0\nexpired\t1\nnot enforced\t1\nnot discovered\t1\nunreadable\t3\n", dry.Out);
        Assert.Contains("broken.example: its policy is no JSON object", dry.Error, StringComparison.Ordinal);
        Assert.Contains("ahead.example: it was fetched at ", dry.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, session.Run("discovery", "show", "sts.example").Code);

        using (var json = JsonDocument.Parse(session.Succeed("discovery", "import", cache, "--format", "json")))
            Assert.Equal("sts.example", Assert.Single(json.RootElement.GetProperty("keys").EnumerateArray()).GetString());
        using (var store = PolicyStore.Open(session.Store, StoreAccess.Read, session.Time))
        {
            var memory = store.FindDiscovered(NextHop.Parse("sts.example"))!;
            var kept = memory.Sts.InForce(session.Time.GetUtcNow())!;
            Assert.Equal(session.Time.GetUtcNow() + TimeSpan.FromDays(5), kept.Expires);
            Assert.True(kept.Policy.Covers("a.mail.example"));
            Assert.True(StsRules.IsRenewalDue(memory.Sts, memory.Used, session.Time.GetUtcNow()));
        }

        Assert.StartsWith("taken over\t0\nknown already\t1\n", session.Run("discovery", "import", cache).Out, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_database_of_something_else_is_refused_and_a_list_is_discovered()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var refused = session.Run("discovery", "import", session.Database);
        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains("it cannot be read as a cache of postfix-mta-sts-resolver", refused.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, session.Run("discovery", "import", "/nowhere/cache.db").Code);

        var list = session.Write("domains.txt", "one.example\ntwo.example\n");
        Assert.StartsWith("would be discovered\t2\n", session.Succeed("discovery", "import", "--dry-run", list), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_and_a_log_name_each_destination_once()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", ".entered.example", "--level", "encrypt");
        var list = session.Write("list", "# partners\nOne.example\nsomeone@two.example  # a remark\n\none.example\na.entered.example\nprinter.local\n192.0.2.1\nbad..domain\n[192.0.2.1\n");
        var result = session.Run("discovery", "warm", "--dry-run", list);
        Assert.Equal("would be discovered\t2\nhave an entry\t1\nnot discovered\t2\nunreadable\t2\n", result.Out);
        Assert.StartsWith($"policyctl: warning: {list}, line 9: 'bad..domain' is not a next-hop destination; ", result.Error, StringComparison.Ordinal);

        var log = session.Write(
            "mail.log",
            """
            Nov 29 06:25:01 mail postfix/smtp[811]: 4bQ1: to=<a@three.example>, orig_to=<root>, relay=mx.three.example[192.0.2.3]:25, delay=0.4, dsn=2.0.0, status=sent (250 ok)
            Nov 29 06:25:01 mail postfix/local[812]: 4bQ2: to=<root@here.example>, relay=local, delay=0.1, dsn=2.0.0, status=sent (delivered to mailbox)
            Nov 29 06:25:02 mail postfix/smtpd[813]: connect from unknown[192.0.2.9]
            2026-11-29T06:25:03.1+00:00 mail postfix/smtp[814]: 4bQ3: to=<"odd@name"@four.example>, relay=none, delay=30, dsn=4.4.1, status=deferred (connect: timed out)
            Nov 29 06:25:04 mail dovecot[9]: imap: to=<b@five.example>
            """);
        Assert.StartsWith("would be discovered\t2\nhave an entry\t0\nnot discovered\t0\nunreadable\t0\n", session.Succeed("discovery", "warm", "--dry-run", log), StringComparison.Ordinal);

        var binary = session.Write("binary", "one.example\ntwo\0.example\nthree.example\n");
        Assert.Contains("NUL character", session.Run("discovery", "warm", "--dry-run", binary).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_warmed_up_is_known_and_not_asked_for_twice()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Domain("partner.test", "mx.partner.test", secure: true, "192.0.2.1");
        network.Dns.Add("_25._tcp.mx.partner.test", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], true);
        network.Domain("plain.test", "mx.plain.test", secure: false, "192.0.2.2");
        var list = network.Session.Write("list", "partner.test\nplain.test\n");

        var first = network.Session.Succeed("discovery", "warm", list);

        Assert.StartsWith("discovered\t2\n", first, StringComparison.Ordinal);
        Assert.Contains("dane-only\t1\n", first, StringComparison.Ordinal);
        Assert.Contains("not-found\t1\n", first, StringComparison.Ordinal);
        using var store = PolicyStore.Open(network.Session.Store, StoreAccess.Read, network.Session.Time);
        Assert.Equal(["partner.test", "plain.test"], store.ListDiscovered().Select(memory => memory.Key.Text));
        Assert.Equal(network.Session.Time.GetUtcNow(), store.FindDiscovered(NextHop.Parse("partner.test"))!.Used);
    }

    [Fact]
    public void The_report_counts_what_mail_asked_for_and_names_whose_mail_would_wait()
    {
        using var session = new CliSession("security_level = may\n[discovery]\nmode = observe\n");
        Assert.Equal(ExitCode.Inconclusive, session.Run("discovery", "report").Code);
        Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"));
        Remember(session, "sts.example", DiscoveryScenario.Of("W", "I10", enforce: true));
        Remember(session, "plain.example", DiscoveryScenario.Of("W", "I10"));
        Remember(session, "entered.example", DiscoveryScenario.Of("S", "T10"));
        Remember(session, "old.example", DiscoveryScenario.Of("S", "T10"), TimeSpan.FromDays(9));
        session.Succeed("domain", "add", "entered.example", "--level", "encrypt");

        Assert.Equal(
            ["dane-only\t1", "secure\t1", "not-found\t1"],
            session.Succeed("discovery", "report").Trim().Split('\n').Select(line => string.Join('\t', line.Split('\t')[..2])));
        var text = session.Succeed("discovery", "report", "--format", "table");
        Assert.StartsWith("3 destinations without an entry since ", text, StringComparison.Ordinal);
        Assert.Contains("With [discovery] mode = on they would be answered:", text, StringComparison.Ordinal);
        Assert.Contains("mail of none of them would wait", text, StringComparison.Ordinal);

        Remember(session, "wrong.example", CoveredByNobody());
        var waits = session.Run("discovery", "report", "--format", "table");
        Assert.Equal(ExitCode.Negative, waits.Code);
        Assert.Matches("wrong\\.example +secure +its MTA-STS policy names none of its MX hosts\n", waits.Out);
        Assert.Equal(ExitCode.Usage, session.Run("discovery", "report", "--since", "tomorrow").Code);
    }

    [Fact]
    public void Problems_are_listed_the_gravest_first()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Assert.Equal("", session.Succeed("discovery", "problems"));
        Remember(session, "partial.example", DiscoveryScenario.Of("S", "T10 N20"));
        Remember(session, "wrong.example", CoveredByNobody());

        var listed = session.Run("discovery", "problems");
        Assert.Equal(ExitCode.Negative, listed.Code);
        var rows = listed.Out.Trim().Split('\n').Select(line => line.Split('\t')).ToList();
        Assert.Equal(("wrong.example", "policy-covers-none"), (rows[0][0], rows[0][2]));
        Assert.Contains(rows, row => row[0] == "partial.example" && row[2] == "partial-dane");
        Assert.Equal("", session.Run("discovery", "problems", "--kind", "record-broken").Out);
        Assert.Equal(ExitCode.Usage, session.Run("discovery", "problems", "--kind", "nonsense").Code);
    }

    [Theory]
    [InlineData("mode = off", "discovery is off (mode in [discovery])")]
    [InlineData("mode = observe", "discovery only observes (mode in [discovery])")]
    [InlineData("mode = on\nmta_sts = no", "policies of MTA-STS do not count (mta_sts = no in [discovery])")]
    [InlineData("mode = on", null)]
    public void What_is_stored_and_answers_nobody_is_warned_of(string discovery, string? warning)
    {
        using var session = new CliSession($"security_level = may\n[discovery]\n{discovery}\n");
        var cache = Cache(session, ("sts.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.sts.example")));
        foreach (var isDry in (bool[])[true, false])
        {
            var imported = session.Run(["discovery", "import", cache, "--format", "table", .. isDry ? (string[])["--dry-run"] : []]);
            Assert.Equal(ExitCode.Done, imported.Code);
            if (warning is null)
                Assert.Equal("", imported.Error);
            else
                Assert.Contains($"warning: {warning}: what is stored answers nobody", Flat(imported.Error), StringComparison.Ordinal);
            Assert.Equal(warning is null && !isDry, Flat(imported.Out).Contains("The daemon keeps to them", StringComparison.Ordinal));
        }

        var list = session.Write("list", "one.example\n");
        var warmed = session.Run("discovery", "warm", "--dry-run", list);
        Assert.Equal(warning is not null && !discovery.Contains("mta_sts", StringComparison.Ordinal), warmed.Error.Contains("answers nobody", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{\"domains\": [\"one.example\"]}\n[1]\n192.0.2.1\n")]
    [InlineData("bad..domain\n")]
    [InlineData("\0\u0001\u0002\n\0\n")]
    public void A_file_that_is_neither_a_cache_nor_a_list_is_refused(string content)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var file = session.Write("file", content);
        var result = session.Run("discovery", "import", file);
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"{file}: neither a cache of postfix-mta-sts-resolver", Flat(result.Error), StringComparison.Ordinal);
        Assert.Equal("", result.Out);
    }

    [Fact]
    public void A_policy_with_half_a_surrogate_pair_is_unreadable_and_ends_nothing()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var cache = Cache(
            session, ("half.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.\\ud800.example")),
            ("mode.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce\\udc00", 604800, "mx.mode.example")),
            ("sts.example", Ago(session, TimeSpan.FromDays(2)), Body("enforce", 604800, "mx.sts.example")));
        var result = session.Run("discovery", "import", cache);
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.StartsWith("taken over\t1\n", result.Out, StringComparison.Ordinal);
        Assert.EndsWith("unreadable\t2\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_it_says_what_is_stored()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        using var interruption = new Interruption();
        network.Session.Interruption = interruption;
        network.Domain("partner.test", "mx.partner.test", secure: false, "192.0.2.1");
        network.Dns.Set("slow.test", FakeDnsServer.Mx, new FakeDnsReply { Silent = true });
        var list = network.Session.Write("list", "partner.test\nslow.test\n");
        var warming = Task.Run(() => network.Session.Run("discovery", "warm", list), TestContext.Current.CancellationToken);
        using var store = PolicyStore.Open(network.Session.Store, StoreAccess.Read, network.Session.Time);
        await Until.TrueAsync(() => network.Dns.Questions.Any(question => question.Name == "slow.test"));
        interruption.Interrupt();
        var result = await warming;
        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Matches("interrupted: [01] of 2 destinations (was|were) discovered, and what was found is stored; run it again for the others", Flat(result.Error));
        Assert.DoesNotContain("nothing was stored", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_goes_by_floors_and_by_the_entry_for_everybody()
    {
        using var session = new CliSession("security_level = may\n[discovery]\nmode = observe\nskip = skipped.example\n");
        Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"));
        Remember(session, "plain.example", DiscoveryScenario.Of("W", "I10"));
        Remember(session, "floor.example", DiscoveryScenario.Of("W", "I10"));
        Remember(session, "skipped.example", DiscoveryScenario.Of("S", "T10"));
        session.Succeed("domain", "add", "floor.example", "--level", "discovered", "--floor", "secure");

        var result = session.Run("discovery", "report", "--format", "table");
        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.StartsWith("3 destinations without an entry since ", result.Out, StringComparison.Ordinal);
        Assert.Matches("floor\\.example +not-found +its entry takes no less than secure\n", result.Out);

        // What is found of plain.example is less than this.
        session.Succeed("domain", "add", "*", "--level", "encrypt");
        var rows = session.Run("discovery", "report").Out.Trim().Split('\n').Select(line => string.Join('\t', line.Split('\t')[..2]));
        Assert.Equal(["dane-only\t1", "not-found\t1"], rows);
    }

    [Fact]
    public void An_answer_that_is_too_long_is_among_the_problems()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var scenario = DiscoveryScenario.Of("W", string.Join(' ', Enumerable.Repeat("I10", 1)));
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\n" + string.Concat(Enumerable.Range(0, 200).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"mx: {new string('a', 60)}.{new string('b', 60)}.{new string('c', 60)}.h{i}.example\n"))));
        Remember(session, "long.example", scenario);
        var listed = session.Run("discovery", "problems", "--kind", "answer-too-long");
        Assert.Equal(ExitCode.Negative, listed.Code);
        Assert.StartsWith("long.example\tmail-waits\tanswer-too-long\t", listed.Out, StringComparison.Ordinal);
    }

    private static string Flat(string text) => string.Join(' ', text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    internal static long Ago(CliSession session, TimeSpan age) => (session.Time.GetUtcNow() - age).ToUnixTimeSeconds();

    internal static string Body(string mode, long maxAge, params string[] hosts) =>
        $$"""{"version": "STSv1", "mode": "{{mode}}", "max_age": {{maxAge.ToString(CultureInfo.InvariantCulture)}}, "mx": [{{string.Join(", ", hosts.Select(host => $"\"{host}\""))}}]}""";

    private static string Cache(CliSession session, params (string Domain, long Fetched, string Body)[] rows) => Cache(session, "cache.db", rows);

    /// <summary>A cache of postfix-mta-sts-resolver.</summary>
    internal static string Cache(CliSession session, string name, params (string Domain, long Fetched, string Body)[] rows)
    {
        var file = session.Write(name, "");
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        Execute("PRAGMA journal_mode = WAL");
        Execute("create table sts_policy_cache (domain text, ts integer, pol_id text, pol_body text)");
        foreach (var (domain, fetched, body) in rows)
            Execute("INSERT INTO sts_policy_cache VALUES (@domain, @fetched, '20261101', @body)", ("@domain", domain), ("@fetched", fetched), ("@body", body));
        return file;

        void Execute(string sql, params (string Name, object Value)[] values)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            foreach (var (name, value) in values)
                command.Parameters.AddWithValue(name, value);
            command.ExecuteNonQuery();
        }
    }

    private static DiscoveryScenario CoveredByNobody()
    {
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.elsewhere.example\n");
        return scenario;
    }

    private static void Remember(CliSession session, string key, DiscoveryScenario scenario, TimeSpan age = default)
    {
        scenario.Use();
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time);
        store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse(key), Used = session.Time.GetUtcNow() - age }, null)]);
    }
}
