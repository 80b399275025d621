using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Lookup;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>Discovery as the daemon runs it, over a resolver on loopback and a store.</summary>
public sealed class DiscoveryServiceTests : IAsyncDisposable
{
    private const int Txt = 16;

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-discovery").FullName;
    private readonly FakeDnsServer dns = new();
    private readonly LookupTestData data = new();
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
        await Until(() => data.Service.Discovery!.Records.Find("one.test") is not null);
        Assert.Equal("dane-only", data.Ask("one.test").Text);
        Assert.Equal(1, data.Service.Discovered.FirstSights);
        // Nobody asks DNS for what is known.
        Assert.Equal(1, dns.Questions.Count(question => question is ("one.test", FakeDnsServer.Mx)));
    }

    [Fact]
    public async Task After_a_restart_the_first_lookup_is_answered_from_the_store_and_nobody_waits()
    {
        await service.StartAsync(CancellationToken.None);
        Assert.Equal("dane", data.Ask("one.test").Text); // who cannot wait
        await Until(() => data.Ask("one.test").Text == "dane-only");
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
        await Until(() => data.Ask("one.test").Text == "dane-only");
        await Until(() =>
        {
            using var reading = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Read, TimeProvider.System);
            return reading.FindDiscovered(NextHop.Parse("one.test")) is not null;
        });

        var discovery = data.Service.Discovery!;
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
            Assert.True(store.ForgetDiscovered(NextHop.Parse("one.test")));
        await Until(() => discovery.Records.Find("one.test") is null);

        var scenario = DiscoveryScenario.Of("W", "I10", enforce: true);
        scenario.Now = TimeProvider.System.GetUtcNow();
        scenario.Use();
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
            store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse("one.test") }, null)]);
        await Until(() => discovery.Records.Find("one.test") is { Answer: DiscoveredAnswer.Secure });
    }

    [Fact]
    public async Task Another_mode_and_another_level_hold_at_once()
    {
        await service.StartAsync(CancellationToken.None);
        data.Ask("one.test");
        await Until(() => data.Ask("one.test").Text == "dane-only");

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
    public async Task A_policy_that_names_none_of_the_hosts_is_a_finding_until_an_entry_settles_it()
    {
        await service.StartAsync(CancellationToken.None);
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Now = TimeProvider.System.GetUtcNow();
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: elsewhere.example\n");
        scenario.Use();
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
            store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = NextHop.Parse("one.test"), Used = scenario.Now }, null)]);

        await Until(() => Open() is [{ Finding.Kind: FindingKind.PolicyCoversNone, Finding.Subject: "one.test" }]);
        Assert.Equal("on", service.Status!.Mode);
        Assert.Equal(1, service.Status.Known["secure"]);

        data.Current = PolicySnapshot.Build(LookupTestData.Identity, [LookupTestData.Entry("one.test", LookupAnswer.Found("encrypt"))]);
        await Until(() => Open().Count == 0);

        IReadOnlyList<FindingAlert> Open()
        {
            using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Read, TimeProvider.System);
            return store.OpenFindings();
        }
    }

    [Fact]
    public async Task Without_a_store_the_daemon_starts_and_answers_that_nothing_is_known()
    {
        File.Move(configuration.Settings.Database, configuration.Settings.Database + ".away");
        await service.StartAsync(CancellationToken.None);

        data.Service.Answer(MapName.TlsPolicy, "one.test"u8, out var parked);
        Assert.Null(await parked!.Outcome.WaitAsync(Cancellation));
        Assert.Equal("dane", Encoding.ASCII.GetString(data.Service.Conclude(parked).Text));
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Cancellation);
    }

    private (ProbeLedger Ledger, DiscoveryService Service) Make()
    {
        var made = new ProbeLedger(configuration.Settings.Database, configuration.Settings.Postfix, TimeProvider.System);
        return (made, new DiscoveryService(
            configuration, data.Service, new DiscoveredStore(made, TimeProvider.System), data, NullLogger<DiscoveryService>.Instance, TimeProvider.System));
    }

    private Settings Settings(string mode, string postfix = "security_level = may") => SettingsReader.Parse("test.conf", Encoding.UTF8.GetBytes(
        $"""
        [store]
        database = {directory}/policy.db
        [postfix]
        {postfix}
        [discovery]
        mode = {mode}
        [probe]
        resolver = {dns.EndPoint}
        resolver_trusted = yes
        dnssec_test_secure = secure.test
        dnssec_test_bogus = bogus.test
        """));
}
