using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Lookup;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Discovery;

/// <summary>Discovery as the daemon runs it, over a resolver on loopback and a store.</summary>
public sealed class DiscoveryServiceTests : IAsyncDisposable
{
    private const int Txt = 16;

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-discovery").FullName;
    private readonly FakeDnsServer dns = new();
    private readonly LookupTestData data = new();
    private readonly CollectingLogger<DiscoveryService> logger = new();
    private readonly RunningConfiguration configuration;
    private ProbeLedger ledger;
    private DiscoveryService service;

    public DiscoveryServiceTests()
    {
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Authentic = true, Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])] });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
        dns.Set("one.test", FakeDnsServer.Mx, new FakeDnsReply
        {
            Authentic = true,
            Records = [("one.test", FakeDnsServer.Mx, [0, 10, .. FakeDnsServer.WireName("mx.provider.test")])],
        });
        dns.Set("_mta-sts.one.test", Txt, new FakeDnsReply { AbsenceLife = 300 });
        dns.Set("mx.provider.test", FakeDnsServer.A, new FakeDnsReply { Authentic = true, Records = [("mx.provider.test", FakeDnsServer.A, [192, 0, 2, 1])] });
        dns.Set("mx.provider.test", FakeDnsServer.Aaaa, new FakeDnsReply { Authentic = true, AbsenceLife = 300 });
        dns.Add("_25._tcp.mx.provider.test", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: true);
        configuration = new RunningConfiguration(Settings("on"));
        PolicyStore.Create(configuration.Settings.Database, Actor.Daemon, TimeProvider.System).Dispose();
        (ledger, service) = Make();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await service.StopAsync(CancellationToken.None);
        service.Dispose();
        ledger.Dispose();
        await dns.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_first_sight_waits_for_its_verdict_and_the_next_one_has_it()
    {
        await service.StartAsync(CancellationToken.None);

        data.Service.Answer(MapName.TlsPolicy, "one.test"u8, out var parked);
        var record = await parked!.Outcome.WaitAsync(Cancellation);

        Assert.Equal(DiscoveredAnswer.DaneOnly, record!.Answer);
        Assert.Equal("dane-only", Encoding.ASCII.GetString(data.Service.Conclude(parked).Text));
        await Until.TrueAsync(() => data.Service.Discovery!.Records.Find("one.test") is not null);
        Assert.Equal("dane-only", data.Ask("one.test").Text);
        Assert.Equal(1, data.Service.Discovered.FirstSights);
        // Nobody asks DNS for what is known.
        Assert.Equal(1, dns.Questions.Count(question => question is ("one.test", FakeDnsServer.Mx)));
    }

    [Fact]
    public async Task While_a_discovery_takes_long_only_its_first_lookup_waits()
    {
        var held = new TaskCompletionSource();
        dns.Set("one.test", FakeDnsServer.Mx, new FakeDnsReply { Held = held.Task });
        await service.StartAsync(CancellationToken.None);
        var discovery = data.Service.Discovery!;
        var time = new FakeTimeProvider();
        ParkedLookup Park(string key)
        {
            var lookup = new ParkedLookup(key, MapName.TlsPolicy, discovery, time);
            Assert.True(discovery.Queue.TryWait(lookup));
            return lookup;
        }

        var first = Park("one.test");
        await Until.TrueAsync(() => dns.Questions.Contains(("one.test", FakeDnsServer.Mx)));
        Assert.False(first.Outcome.IsCompleted);
        time.Advance(discovery.Wait);
        Assert.Null(await first.Outcome.WaitAsync(Cancellation));

        // The deadline of that discovery is over; the clock need not go on for this one.
        Assert.Null(await Park("one.test").Outcome.WaitAsync(Cancellation));
        held.SetResult();
    }

    [Fact]
    public async Task After_a_restart_the_first_lookup_is_answered_from_the_store_and_nobody_waits()
    {
        await service.StartAsync(CancellationToken.None);
        Assert.Equal("dane", data.Ask("one.test").Text); // who cannot wait
        await Until.TrueAsync(() => data.Ask("one.test").Text == "dane-only");
        await service.StopAsync(CancellationToken.None);
        service.Dispose();
        ledger.Dispose();
        dns.Set("one.test", FakeDnsServer.Mx, new FakeDnsReply { Held = new TaskCompletionSource().Task });

        data.Service.Discovery = null;
        (ledger, service) = Make();
        await service.StartAsync(CancellationToken.None);

        Assert.Equal("dane-only", data.Ask("one.test").Text);
    }

    [Fact]
    public async Task What_protects_nothing_is_read_when_it_is_asked_for_and_served_while_it_is_renewed()
    {
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Use();
        await new DiscoveredStore(ledger, TimeProvider.System).WriteAsync([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse("old.test") }, null)], Cancellation);
        dns.Set("old.test", FakeDnsServer.Mx, new FakeDnsReply { Held = new TaskCompletionSource().Task });
        await service.StartAsync(CancellationToken.None);

        data.Service.Answer(MapName.TlsPolicy, "old.test"u8, out var parked);
        var record = await parked!.Outcome.WaitAsync(Cancellation);

        Assert.Equal(LookupAnswerKind.NotFound, record!.Reply(MapName.TlsPolicy).Kind);
        data.Service.Conclude(parked);
    }

    [Fact]
    public async Task What_a_person_forgets_or_refreshes_is_taken_over()
    {
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until.TrueAsync(() => data.Ask("one.test").Text == "dane-only");
        await Until.TrueAsync(() => IsStored("one.test"));

        var discovery = data.Service.Discovery!;
        using (var store = PolicyStore.Open(Database, StoreAccess.Write, TimeProvider.System))
            Assert.True(store.ForgetDiscovered(NextHop.Parse("one.test")));
        await Until.TrueAsync(() => discovery.Records.Find("one.test") is null);

        var scenario = DiscoveryScenario.Of("W", "I10", enforce: true);
        scenario.Now = TimeProvider.System.GetUtcNow();
        scenario.Use();
        using (var store = PolicyStore.Open(Database, StoreAccess.Write, TimeProvider.System))
            store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse("one.test") }, null)]);
        await Until.TrueAsync(() => discovery.Records.Find("one.test") is { Answer: DiscoveredAnswer.Secure });
    }

    [Fact]
    public async Task Another_mode_and_another_level_hold_at_once()
    {
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until.TrueAsync(() => data.Ask("one.test").Text == "dane-only");

        configuration.Settings = Settings("observe");
        await service.ApplyAsync();
        Assert.Equal(LookupAnswer.NotFound, data.Ask("one.test"));

        configuration.Settings = Settings("on", "security_level = encrypt");
        await service.ApplyAsync();
        Assert.Equal("dane-only", data.Ask("one.test").Text);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("unknown.test"));

        configuration.Settings = Settings("off");
        await service.ApplyAsync();
        Assert.Equal(LookupAnswer.NotFound, data.Ask("one.test"));
        Assert.Null(data.Service.Discovery);
    }

    [Fact]
    public async Task Other_settings_wait_until_everything_that_is_known_is_known_to_them()
    {
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until.TrueAsync(() => data.Ask("one.test").Text == "dane-only");
        await Until.TrueAsync(() => IsStored("one.test"));

        File.Move(Database, Database + ".away");
        configuration.Settings = Settings("on", "security_level = encrypt");
        await service.ApplyAsync();
        await service.RetryAsync();
        Assert.Equal("dane-only", data.Ask("one.test").Text);
        Assert.Equal("dane", data.Ask("unknown.test").Text);

        File.Move(Database + ".away", Database);
        await service.RetryAsync();
        Assert.Equal("dane-only", data.Ask("one.test").Text);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("unknown.test"));
    }

    [Fact]
    public async Task Discovery_ends_at_once_where_it_is_switched_off_and_the_store_cannot_be_read()
    {
        await service.StartAsync(CancellationToken.None);
        File.Move(Database, Database + ".away");
        configuration.Settings = Settings("on", "security_level = encrypt");
        await service.ApplyAsync();
        configuration.Settings = Settings("off");
        await service.ApplyAsync();

        Assert.Null(data.Service.Discovery);
        await service.RetryAsync();
        Assert.Null(data.Service.Discovery);
    }

    [Fact]
    public async Task What_was_found_a_moment_before_other_settings_came_is_known_to_them()
    {
        // Its time stands still: what waits to be written with others is not written by itself, however long this takes.
        service.Dispose();
        ledger.Dispose();
        (ledger, service) = Make(new FakeTimeProvider(TimeProvider.System.GetUtcNow()));
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until.TrueAsync(() => data.Service.Discovery!.Records.Find("one.test") is not null);
        Assert.False(IsStored("one.test"));

        configuration.Settings = Settings("on", "security_level = encrypt");
        await service.ApplyAsync();

        Assert.True(IsStored("one.test"));
        Assert.Equal("dane-only", data.Ask("one.test").Text);
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_change_nothing()
    {
        await service.StartAsync(CancellationToken.None);
        var discovery = data.Service.Discovery;

        configuration.Settings = Settings("on", aliases: "QUERY:tlspolicy", probe: $"ca_file = {directory}/none.pem");
        await Assert.ThrowsAsync<ConfigurationException>(service.ApplyAsync);

        Assert.Same(discovery, data.Service.Discovery);
        Assert.Equal(LookupAnswerKind.Permanent, data.Ask("one.test", "QUERY").Kind);
    }

    [Fact]
    public async Task Settings_that_come_while_the_daemon_stops_begin_nothing()
    {
        await service.StartAsync(CancellationToken.None);
        var discovery = data.Service.Discovery;
        await service.StopAsync(CancellationToken.None);

        await service.ApplyAsync();

        Assert.Same(discovery, data.Service.Discovery);
        Assert.Null(service.Status);
    }

    [Fact]
    public async Task A_destination_that_cannot_be_discovered_keeps_nobody_else_from_it()
    {
        await service.StartAsync(CancellationToken.None);
        var discovery = data.Service.Discovery!;
        var bad = new ParkedLookup("no destination", MapName.TlsPolicy, discovery, TimeProvider.System);
        Assert.True(discovery.Queue.TryWait(bad));
        Assert.True(discovery.Queue.TryWant("no destination"));
        Assert.Null(await bad.Outcome.WaitAsync(Cancellation));

        data.Service.Answer(MapName.TlsPolicy, "one.test"u8, out var parked);
        Assert.NotNull(await parked!.Outcome.WaitAsync(Cancellation));
        Assert.True(discovery.Queue.TryWant("two.test"));
        await Until.TrueAsync(() => discovery.Records.Find("two.test") is not null);
        Assert.Single(logger.Lines, line => line.Level == LogLevel.Error);
    }

    [Fact]
    public async Task What_another_program_changed_is_taken_over_when_the_store_can_be_read_again()
    {
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until.TrueAsync(() => IsStored("one.test"));
        var discovery = data.Service.Discovery!;
        await Until.TrueAsync(() => discovery.Records.Find("one.test") is not null);

        // Of what was changed nothing can be read for a while.
        Sql("ALTER TABLE discovered RENAME TO away");
        Sql("INSERT INTO discovery_notice (key) VALUES ('one.test')");
        await Until.TrueAsync(() => logger.Lines.Any(line => line.Message.Contains("cannot be read from the store", StringComparison.Ordinal)));
        Assert.NotNull(discovery.Records.Find("one.test"));
        Sql("DELETE FROM away; ALTER TABLE away RENAME TO discovered");

        await Until.TrueAsync(() => discovery.Records.Find("one.test") is null);
        await Until.TrueAsync(() => new DiscoveredStore(ledger, TimeProvider.System).ReadNotices(1).Count == 0);
    }

    [Fact]
    public async Task A_policy_that_names_none_of_the_hosts_is_a_finding_until_an_entry_settles_it()
    {
        await FindPolicyThatCoversNoneAsync();
        Assert.Equal("on", service.Status!.Mode);
        Assert.Equal(1, service.Status.Known["secure"]);

        data.Current = PolicySnapshot.Build(LookupTestData.Identity, [LookupTestData.Entry("one.test", LookupAnswer.Found("encrypt"))]);
        await Until.TrueAsync(() => Open().Count == 0);
    }

    [Theory]
    [InlineData("observe")]
    [InlineData("off")]
    public async Task Where_nothing_is_answered_any_more_no_finding_stays_open(string mode)
    {
        await FindPolicyThatCoversNoneAsync();
        configuration.Settings = Settings(mode);
        await service.ApplyAsync();
        await Until.TrueAsync(() => Open().Count == 0);
    }

    [Fact]
    public async Task A_destination_that_is_forgotten_leaves_no_finding_open()
    {
        await FindPolicyThatCoversNoneAsync();
        var discovery = data.Service.Discovery!;
        // By a store that is put in place of the one of before, say: nobody but the daemon is left to settle it.
        Sql("DELETE FROM discovered; INSERT INTO discovery_notice (key) VALUES ('one.test')");
        await Until.TrueAsync(() => discovery.Records.Find("one.test") is null);
        await Until.TrueAsync(() => Open().Count == 0);
    }

    [Fact]
    public async Task Without_a_store_the_daemon_starts_and_answers_that_nothing_is_known()
    {
        File.Move(Database, Database + ".away");
        await service.StartAsync(CancellationToken.None);

        data.Service.Answer(MapName.TlsPolicy, "one.test"u8, out var parked);
        Assert.Null(await parked!.Outcome.WaitAsync(Cancellation));
        Assert.Equal("dane", Encoding.ASCII.GetString(data.Service.Conclude(parked).Text));
    }

    private string Database => configuration.Settings.Database;

    private async Task FindPolicyThatCoversNoneAsync()
    {
        await service.StartAsync(CancellationToken.None);
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Now = TimeProvider.System.GetUtcNow();
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: elsewhere.example\n");
        scenario.Use();
        using (var store = PolicyStore.Open(Database, StoreAccess.Write, TimeProvider.System))
            store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse("one.test"), Used = scenario.Now }, null)]);

        await Until.TrueAsync(() => Open() is [{ Finding.Kind: FindingKind.PolicyCoversNone, Finding.Subject: "one.test" }]);
    }

    private IReadOnlyList<FindingAlert> Open()
    {
        using var store = PolicyStore.Open(Database, StoreAccess.Read, TimeProvider.System);
        return store.OpenFindings();
    }

    private bool IsStored(string key)
    {
        using var store = PolicyStore.Open(Database, StoreAccess.Read, TimeProvider.System);
        return store.FindDiscovered(NextHop.Parse(key)) is not null;
    }

    private void Sql(string text)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private (ProbeLedger Ledger, DiscoveryService Service) Make(TimeProvider? time = null)
    {
        var made = new ProbeLedger(configuration.Settings.Database, configuration.Settings.Postfix, TimeProvider.System);
        return (made, new DiscoveryService(
            configuration, data.Service, new DiscoveredStore(made, TimeProvider.System), data, logger, time ?? TimeProvider.System));
    }

    private Settings Settings(string mode, string postfix = "security_level = may", string aliases = "", string probe = "") => SettingsReader.Parse("test.conf", Encoding.UTF8.GetBytes(
        $"""
        [store]
        database = {directory}/policy.db
        [postfix]
        {postfix}
        [discovery]
        mode = {mode}
        map_aliases = {aliases}
        [probe]
        {probe}
        resolver = {dns.EndPoint}
        resolver_trusted = yes
        dnssec_test_secure = secure.test
        dnssec_test_bogus = bogus.test
        """));
}
