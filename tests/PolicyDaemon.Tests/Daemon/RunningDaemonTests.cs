using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The daemon's parts put together as <see cref="DaemonHost"/> does, without a process of their own.</summary>
public sealed class RunningDaemonTests : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-running").FullName;
    private readonly LookupDemand demand = new();
    private readonly LookupCounters counters = new();
    private RunningConfiguration configuration = null!;
    private SnapshotLoader loader = null!;
    private LookupService service = null!;
    private LookupServer server = null!;

    private string ConfigurationFile => Path.Combine(directory, "policydaemon.conf");

    public async ValueTask InitializeAsync()
    {
        Configure("");
        configuration = new RunningConfiguration(SettingsReader.Load(ConfigurationFile));
        var settings = configuration.Settings;
        using (PolicyStore.Create(settings.Database, Actor.Daemon, TimeProvider.System))
        {
        }

        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, TimeProvider.System, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        service = new LookupService(loader, settings.Postfix, demand, counters, NullLogger<LookupService>.Instance, TimeProvider.System);
        server = new LookupServer(
            service, new LookupOptions { Endpoints = Endpoints.From(settings) }, NullLogger<LookupServer>.Instance, TimeProvider.System);
        await server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        loader.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_reload_serves_a_new_endpoint_and_drops_no_connection()
    {
        Add("a.example", TlsLevel.Encrypt);
        using var before = Connect(Port(server.Listening[0]));
        Assert.Equal("10:OK encrypt,", await Ask(before, "tlspolicy a.example"));
        var second = FreePort();
        Configure($"socketmap = inet:127.0.0.1:{second}");

        await Reload();

        Assert.Equal("10:OK encrypt,", await Ask(before, "tlspolicy a.example"));
        using var after = Connect(second);
        Assert.Equal("10:OK encrypt,", await Ask(after, "tlspolicy a.example"));
    }

    [Fact]
    public async Task A_reload_that_names_unreadable_trust_anchors_changes_nothing()
    {
        var settings = configuration.Settings;
        Configure("", "[probe]\nca_file = /nonexistent/roots.pem");

        await Reload();

        Assert.Same(settings, configuration.Settings);
    }

    [Fact]
    public async Task A_reload_makes_a_removed_socket_again()
    {
        var path = Path.Combine(directory, "socketmap");
        Configure($"socketmap = unix:{path}");
        await Reload();
        File.Delete(path);

        await Reload();

        Assert.True(File.Exists(path));
    }

    [Fact]
    public void What_changed_in_the_store_is_named_once()
    {
        loader.TakeChanges();
        Add("a.example", TlsLevel.Encrypt);
        Add("b.example", TlsLevel.Encrypt);

        var changes = loader.TakeChanges();

        Assert.NotNull(changes);
        Assert.Equal((false, "a.example b.example"), (changes.Everything, string.Join(' ', changes.Keys.Order(StringComparer.Ordinal))));
        Assert.Null(loader.TakeChanges());
    }

    [Fact]
    public async Task A_reload_with_a_mistake_changes_nothing()
    {
        var listening = server.Listening;
        var settings = configuration.Settings;
        Configure("socketmap = nonsense");

        await Reload();

        Assert.Equal(listening, server.Listening);
        Assert.Same(settings, configuration.Settings);
    }

    [Fact]
    public async Task A_reload_serves_the_pins_of_the_new_digest()
    {
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
        using (var change = store.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default with { FingerprintDigest = DigestAlgorithm.Sha1 }))
        {
            Assert.True(Fingerprint.TryParse(new string('a', 40), out var sha1, out _));
            var old = new Destination
            {
                Key = NextHop.Parse("a.example"),
                Policy = new() { Level = TlsLevel.Fingerprint },
                Pins = [new(sha1, PinSubject.Unknown, PinState.Active, PinStrength.Person, DateTimeOffset.UnixEpoch)],
            };
            change.Put(old);
            change.Commit();
        }

        loader.Poll();
        using var connection = Connect(Port(server.Listening[0]));
        Assert.Contains("TEMP ", await Ask(connection, "tlspolicy a.example"), StringComparison.Ordinal);
        Configure("", "fingerprint_digest = sha1");

        await Reload();

        Assert.Contains($"OK fingerprint match={new string('a', 40)},", await Ask(connection, "tlspolicy a.example"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_near_miss_becomes_a_finding_that_closes_when_it_is_settled()
    {
        Add("[mx.example]", TlsLevel.Encrypt);
        using var connection = Connect(Port(server.Listening[0]));
        Assert.Equal("9:NOTFOUND ,", await Ask(connection, "tlspolicy [MX.example]:submission"));
        using var reporter = new NearMissReporter(demand, loader, configuration, NullLogger<NearMissReporter>.Instance, TimeProvider.System);

        reporter.Report();

        var finding = Assert.Single(OpenFindings()).Finding;
        Assert.Equal((FindingKind.NearMiss, "[mx.example]:587"), (finding.Kind, finding.Subject));
        Assert.Contains("[mx.example] is configured", finding.Detail, StringComparison.Ordinal);

        Add("[mx.example]:587", TlsLevel.Encrypt);
        reporter.Report();

        Assert.Empty(OpenFindings());
    }

    [Fact]
    public async Task Invented_near_misses_are_bounded()
    {
        Add("[mx.example]", TlsLevel.Encrypt);
        using var connection = Connect(Port(server.Listening[0]));
        for (var port = 1; port <= 300; port++)
            await Ask(connection, $"tlspolicy [mx.example]:{port}");
        using var reporter = new NearMissReporter(demand, loader, configuration, NullLogger<NearMissReporter>.Instance, TimeProvider.System);

        reporter.Report();

        Assert.Equal(101, OpenFindings().Count);
    }

    [Fact]
    public async Task Near_misses_that_cannot_be_stored_are_told_of_once_an_hour_and_stored_when_they_can_be()
    {
        Add("[mx.example]", TlsLevel.Encrypt);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var logger = new CollectingLogger<NearMissReporter>();
        using var connection = Connect(Port(server.Listening[0]));
        using var reporter = new NearMissReporter(demand, loader, configuration, logger, time);
        var settings = configuration.Settings;
        configuration.Settings = settings with { Database = Path.Combine(directory, "missing.db") };
        for (var round = 0; round < 120; round++)
        {
            // An hour and a half of a peer that asks for another port each time.
            for (var port = 1; port <= 20; port++)
                await Ask(connection, $"tlspolicy [mx.example]:{(round * 20) + port}");
            reporter.Report();
            time.Advance(TimeSpan.FromSeconds(45));
        }

        Assert.Equal(2, logger.Lines.Count);
        Assert.StartsWith("20 near misses could not be stored", logger.Lines[0].Message, StringComparison.Ordinal);
        Assert.Matches(@"^1000 near misses .*\[mx\.example\]:\d+", logger.Lines[1].Message);

        configuration.Settings = settings;
        reporter.Report();

        Assert.Equal(101, OpenFindings().Count);
        Assert.Equal(103, logger.Lines.Count);
    }

    [Fact]
    public async Task The_status_file_says_what_is_served_and_counted()
    {
        Add("a.example", TlsLevel.Encrypt);
        using var connection = Connect(Port(server.Listening[0]));
        await Ask(connection, "tlspolicy a.example");
        await Ask(connection, "tlspolicy b.example");
        using var writer = new StatusWriter(configuration, loader, server, counters, NullLogger<StatusWriter>.Instance, TimeProvider.System);

        writer.WriteIfNews();

        var status = DaemonStatusFile.TryRead(configuration.Settings.StatusFile);
        Assert.NotNull(status);
        Assert.Equal(("store", 1), (status.Snapshot?.Source, status.Snapshot?.Destinations));
        Assert.Equal((1, 1, 0), (status.Counters.Found, status.Counters.NotFound, status.Counters.Temporary));
        Assert.Empty(status.Findings);
    }

    private static int Port(string endpoint) =>
        int.Parse(endpoint.AsSpan(endpoint.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static async Task<string> Ask(Socket socket, string request)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.SendAsync(Encoding.UTF8.GetBytes($"{request.Length}:{request},"), deadline.Token);
        var reply = new StringBuilder();
        var buffer = new byte[4096];
        while (!reply.ToString().EndsWith(','))
        {
            var count = await socket.ReceiveAsync(buffer, deadline.Token);
            Assert.NotEqual(0, count);
            reply.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return reply.ToString();
    }

    private async Task Reload()
    {
        using var reload = new ReloadOnHangup(configuration, server, service, loader, NullLogger<ReloadOnHangup>.Instance);
        await reload.ReloadAsync();
    }

    private void Configure(string lookup, string postfix = "") => File.WriteAllText(
        ConfigurationFile,
        $"""
        [lookup]
        tcp_table =
        {(lookup.Length > 0 ? lookup : "socketmap = inet:127.0.0.1:0")}
        [postfix]
        {postfix}
        [store]
        database = {Path.Combine(directory, "policy.db")}
        """);

    private void Add(string key, TlsLevel level)
    {
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, TimeProvider.System))
        using (var change = store.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default))
        {
            change.Put(new() { Key = NextHop.Parse(key), Policy = new() { Level = level } });
            change.Commit();
        }

        loader.Poll();
    }

    private IReadOnlyList<FindingAlert> OpenFindings()
    {
        using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Read, TimeProvider.System);
        return store.OpenFindings();
    }
}
