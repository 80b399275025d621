using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The prober as the daemon runs it, against a mail server and a resolver on loopback.</summary>
public sealed class ProberServiceTests : IAsyncLifetime
{
    private static readonly X509Certificate2 Certificate = TestCertificates.SelfSigned("mx.test");

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-prober").FullName;
    private readonly FakeDnsServer dns = new();
    private readonly FakeSmtpServer server = new(FakeSmtpConnection.Polite(() => Certificate));
    private readonly MemoryLedger ledger = new();
    private readonly LookupDemand demand = new();
    private RunningConfiguration configuration = null!;
    private SnapshotLoader loader = null!;
    private ProberService prober = null!;

    private string Key => $"partner.test:{server.Target.Port}";

    public ValueTask InitializeAsync()
    {
        dns.AddMx("partner.test", 10, "mx.test");
        dns.AddHost("mx.test", false, "127.0.0.1");
        configuration = new RunningConfiguration(Settings(""));
        PolicyStore.Create(configuration.Settings.Database, Actor.Daemon, TimeProvider.System).Dispose();
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(configuration.Settings.Database, configuration.Settings.Snapshot), configuration.Settings.Postfix,
            TimeProvider.System, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        prober = new ProberService(configuration, loader, demand, ledger, NullLogger<ProberService>.Instance, TimeProvider.System);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await prober.StopAsync(CancellationToken.None);
        prober.Dispose();
        loader.Dispose();
        await server.DisposeAsync();
        await dns.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task What_the_ledger_lists_is_probed()
    {
        ledger.Add(Key, Pinned());

        await prober.StartAsync(CancellationToken.None);

        await Until.TrueAsync(() => !ledger.Results.IsEmpty);
        Assert.True(ledger.Results.TryPeek(out var result));
        Assert.Equal(DestinationVerdict.Ok, result.Result.Verdict);
        await Until.TrueAsync(() => prober.Status is { State: "on", Destinations: 1, InFlight: 0, Due: 0, PassEnded: not null });
        Assert.Equal((false, null), (prober.Status.Resolver?.Trusted, prober.Status.Resolver?.SelfTestPassed));
    }

    [Fact]
    public async Task A_changed_entry_is_probed_within_seconds()
    {
        await prober.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => prober.Status.State == "on");
        ledger.Add(Key, Pinned());

        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
        using (var change = store.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default))
        {
            change.Put(new() { Key = NextHop.Parse(Key), Policy = new() { Level = TlsLevel.Encrypt } });
            change.Commit();
        }

        loader.Poll();

        await Until.TrueAsync(() => !ledger.Results.IsEmpty);
    }

    [Fact]
    public async Task A_lookup_of_a_pinned_key_whose_last_probe_is_old_makes_it_due()
    {
        configuration.Settings = Settings("lookup_staleness = 1s\naddress_spacing = 0s\nprovider_spacing = 0s");
        ledger.Add(Key, Pinned());
        await prober.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        // Postfix asks as long as there is mail; the first questions find a probe that is fresh.
        await Until.TrueAsync(() =>
        {
            demand.Add(Encoding.ASCII.GetBytes(Key), DemandKind.Pinned);
            return server.Connections >= 3;
        });
    }

    [Fact]
    public async Task It_is_switched_off_and_on_by_a_reload()
    {
        await prober.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => prober.Status.State == "on");

        configuration.Settings = Settings("enabled = no");
        prober.Apply();
        await Until.TrueAsync(() => prober.Status.State == "off");

        configuration.Settings = Settings("");
        prober.Apply();
        await Until.TrueAsync(() => prober.Status.State == "on");
    }

    [Fact]
    public async Task What_it_cannot_use_is_said_and_a_reload_mends_it()
    {
        configuration.Settings = Settings("ca_file = /nonexistent/roots.pem");
        await prober.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => prober.Status is { State: "failing", Problem: { } problem } && problem.Contains("ca_file", StringComparison.Ordinal));

        configuration.Settings = Settings("");
        prober.Apply();

        await Until.TrueAsync(() => prober.Status.State == "on");
        Assert.False(prober.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task It_stops_while_a_server_keeps_it_waiting()
    {
        await using var silent = new FakeSmtpServer(connection => connection.HangAsync());
        dns.AddMx("slow.test", 10, "mx.test");
        ledger.Add($"slow.test:{silent.Target.Port}", Pinned());
        await prober.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => silent.Connections == 1);

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30)); // the reply's limit is a minute
        await prober.StopAsync(deadline.Token);

        Assert.True(prober.ExecuteTask!.IsCompletedSuccessfully);
    }

    private static Pin Pinned() => new(
        Fingerprint.Compute(DigestAlgorithm.Sha256, Certificate.PublicKey.ExportSubjectPublicKeyInfo()), PinSubject.PublicKey,
        PinState.Active, PinStrength.Person, DateTimeOffset.UnixEpoch);

    private Settings Settings(string probe) => SettingsReader.Parse(
        "x.conf",
        Encoding.UTF8.GetBytes($"""
            [store]
            database = {directory}/policy.db
            [probe]
            resolver = {dns.EndPoint}
            private_addresses = yes
            {probe}
            """));
}
