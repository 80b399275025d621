using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>Three policyd, each a process, over one PostgreSQL and one mail server: one probes, and another one takes over where it is stopped, killed, halted
/// or cut off; the mail server never has two of them.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class FleetStories : IAsyncLifetime
{
    private readonly string store = PostgreSqlServer.Instance.CreateDatabase();
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-fleet").FullName;
    private readonly Dictionary<string, Process> running = new(StringComparer.Ordinal);
    private readonly List<FakeSmtpServer> servers = [];
    private int open;
    private int mostOpen;

    public ValueTask InitializeAsync()
    {
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        // One address, and so many probes of it one after the other that somebody is connected there nearly all the time.
        for (var i = 0; i < 6; i++)
            servers.Add(new FakeSmtpServer(HearOutAsync));
        using var opened = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System);
        using var change = opened.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
        foreach (var server in servers)
            change.Put(TemporaryStore.Pinned(KeyOf(server), TemporaryStore.Pin(TemporaryStore.PinA)));
        change.Commit();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in running.Values)
        {
            Signal(process, "CONT");
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.Dispose();
        }

        foreach (var server in servers)
            await server.DisposeAsync();
        PostgreSqlServer.Instance.DropDatabase(store);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task One_probes_and_another_takes_over_whatever_becomes_of_it()
    {
        foreach (var name in (string[])["mx1", "mx2", "mx3"])
            Start(name);
        var first = await HolderAsync([]);
        await Until.TrueAsync(() => Nodes().Count == 3 && Connections > 0, what: "all are there, and one has probed");
        Assert.Single(Nodes(), node => node.HoldsLease);

        // Stopped as systemd stops it: nobody waits until anything runs out.
        await StopAsync(first);
        var second = await HolderAsync([first]);
        Assert.True(Epoch() > 1);

        // Killed: the lease runs out.
        Start(first);
        await KillAsync(second);
        var third = await HolderAsync([second]);

        Assert.Equal(1, Volatile.Read(ref mostOpen));

        // Halted, and let go on when another one has it: it notices by itself.
        Start(second);
        var process = running[third];
        Signal(process, "STOP");
        var fourth = await HolderAsync([third]);
        Signal(process, "CONT");
        await Until.TrueAsync(() => State(third) == "waiting", what: $"{third} waits for its turn");
        await Until.TrueAsync(() => State(fourth) == "on", what: $"{fourth} probes");
        Assert.Equal(fourth, Assert.Single(Nodes(), node => node.HoldsLease).Name);
        // Its connection stood open while nothing went on there; from here on there is one again.
        await Until.TrueAsync(() => Volatile.Read(ref open) <= 1, what: "it has left");
        Volatile.Write(ref mostOpen, 0);
        var before = Connections;
        await Until.TrueAsync(() => Connections > before + 2, what: "the next ones are probed");
        Assert.Equal(1, Volatile.Read(ref mostOpen));
    }

    [Fact]
    public async Task Without_its_server_a_node_answers_and_does_not_probe()
    {
        Start("mx1");
        await HolderAsync([]);
        await Until.TrueAsync(() => State("mx1") == "on", what: "it probes");

        PostgreSqlServer.Instance.RenameDatabase(store, store + "_away");
        try
        {
            await Until.TrueAsync(() => State("mx1") == "waiting", what: "it stops by its own clock");
            Assert.Equal("file", Status("mx1")!.Snapshot!.Source);
        }
        finally
        {
            PostgreSqlServer.Instance.RenameDatabase(store + "_away", store);
        }

        await Until.TrueAsync(() => State("mx1") == "on" && Status("mx1")!.Snapshot!.Source == "store", what: "it probes and follows again");
        Assert.Equal(2, Epoch());
    }

    [Fact]
    public async Task A_lookup_on_one_makes_another_probe()
    {
        Start("mx1");
        await HolderAsync([]);
        Start("mx2", probes: false);
        await Until.TrueAsync(() => Status("mx2") is { Prober.State: "off", Snapshot.Destinations: > 0 } && Nodes().Count == 2, what: "the other one answers");
        await Until.TrueAsync(() => servers.TrueForAll(server => server.Connections > 0), what: "all were probed once");
        Sql("UPDATE probe_state SET last_probe = last_probe - 7200");
        Sql("UPDATE probe_target SET last_attempt = last_attempt - 7200, version = version + 1");
        var (asked, before) = (servers[5], servers[5].Connections);

        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, $"unix:{directory}/mx2.map", out var endpoint, out _));
        await SocketmapClient.AskAsync(endpoint, "tlspolicy", KeyOf(asked), Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken);

        await Until.TrueAsync(() => asked.Connections > before, what: "the one that probes did");
    }

    /// <summary>As <c>policyctl status</c> and Prometheus have them.</summary>
    [Fact]
    public void Whoever_asks_is_told_of_each_node()
    {
        using var session = new CliSession();
        File.WriteAllText(session.Config, File.ReadAllText(session.Config).Replace("[store]\n", $"[store]\nengine = postgresql\npostgresql = {store["postgresql:".Length..]}\n", StringComparison.Ordinal));
        using (var tables = EngineChoice.For(store).OpenFleet(StoreAccess.Write)!)
        {
            foreach (var name in (string[])["mx1", "mx2", "mx9"])
                tables.Beat(new NodeRow(name, name + "-1", "1.0.0", "default", 1, "sha256", 1, 0, 0));
            tables.TakeLease("default", "mx2", "mx2-1", TimeSpan.FromMinutes(1));
        }

        Sql("UPDATE node SET seen = seen - 90000 WHERE name = 'mx9'");
        Finding[] findings =
        [
            new(FindingKind.StoreUnavailable, "store", "its own", "", DateTimeOffset.UnixEpoch) { Node = "mx9" }, new(FindingKind.StoreUnavailable, "store", "another's", "", DateTimeOffset.UnixEpoch) { Node = "mx1" },
        ];
        using var opened = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System);
        foreach (var finding in findings)
            opened.RaiseFinding(finding);
        var status = session.Run("status", "--format", "json").Out;
        var metrics = session.Run("metrics").Out;

        Assert.Contains("\"name\": \"mx9\"", status, StringComparison.Ordinal);
        Assert.Contains("policydaemon_node_probes{node=\"mx2\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("policydaemon_node_up{node=\"mx9\"} 0", metrics, StringComparison.Ordinal);
        Assert.All(MetricsTests.NodeMetrics, name => Assert.Contains($"policydaemon_{name}{{node=\"mx1\"", metrics, StringComparison.Ordinal));
        Assert.Equal(ExitCode.Invalid, session.Run("node", "remove", "mx1").Code);
        Assert.Equal(ExitCode.Done, session.Run("node", "remove", "--dry-run", "mx9").Code);
        Assert.Equal(3, Nodes().Count);
        Assert.Equal(ExitCode.Done, session.Run("node", "remove", "mx9").Code);
        Assert.Equal(["mx1", "mx2"], Nodes().Select(node => node.Name));
        // Nobody else would have ended what it found about itself.
        Assert.Equal("mx1", Assert.Single(opened.OpenFindings()).Finding.Node);
    }

    /// <summary>Nobody may write it to the store; whoever asks is told all the same.</summary>
    [Fact]
    public void That_nobody_probes_is_told_to_whoever_asks()
    {
        using var session = new CliSession();
        File.WriteAllText(session.Config, File.ReadAllText(session.Config).Replace("[store]\n", $"[store]\nengine = postgresql\npostgresql = {store["postgresql:".Length..]}\n", StringComparison.Ordinal));
        using (var tables = EngineChoice.For(store).OpenFleet(StoreAccess.Write)!)
        {
            tables.Beat(new NodeRow("mx1", "mx1-1", "1.0.0", "default", NodeRow.InTurn, "sha256", 1, 0, 0));
            tables.Beat(new NodeRow("mx2", "mx2-1", "1.0.0", "default", NodeRow.InTurn, "sha256", 1, 0, 0).AsRefused());
            tables.TakeLease("default", "mx1", "mx1-1", TimeSpan.FromMinutes(1));
        }

        Assert.DoesNotContain("nobody-probes", session.Run("status", "--format", "json").Out, StringComparison.Ordinal);
        Sql("UPDATE node SET seen = seen - 90000 WHERE name = 'mx1'");
        Sql("UPDATE probe_lease SET expires = expires - 130000");

        var status = session.Run("status", "--format", "json").Out;
        Assert.Contains("nobody-probes", status, StringComparison.Ordinal);
        Assert.Contains("node-stale", status, StringComparison.Ordinal);
        Assert.Contains("mx2: may not probe", session.Run("status", "--format", "table").Out, StringComparison.Ordinal);
    }

    private int Connections => servers.Sum(server => server.Connections);

    private static string KeyOf(FakeSmtpServer server) => string.Create(CultureInfo.InvariantCulture, $"[127.0.0.1]:{server.Target.Port}");

    /// <summary>Says nothing, so that a probe stays as long as it waits for a greeting.</summary>
    private async Task HearOutAsync(FakeSmtpConnection connection)
    {
        var now = Interlocked.Increment(ref open);
        for (var most = Volatile.Read(ref mostOpen); now > most; most = Volatile.Read(ref mostOpen))
            Interlocked.CompareExchange(ref mostOpen, now, most);
        try
        {
            await connection.ReadOctetAsync();
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    private void Sql(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private IReadOnlyList<NodeState> Nodes() => NodeState.Read(store);

    private async Task<string> HolderAsync(IReadOnlyList<string> notThese)
    {
        string? holder = null;
        await Until.TrueAsync(
            () => (holder = Nodes().FirstOrDefault(node => node.HoldsLease && !notThese.Contains(node.Name))?.Name) is not null,
            what: $"another one than {string.Join(", ", notThese)} probes");
        return holder!;
    }

    private long Epoch()
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT epoch FROM probe_lease";
        return (long)command.ExecuteScalar()!;
    }

    private DaemonStatus? Status(string name) => StatusDocument.TryAsk($"{directory}/{name}.status.sock", TimeProvider.System, out _)?.Daemon;

    private string? State(string name) => Status(name)?.Prober?.State;

    private void Start(string name, bool probes = true)
    {
        var file = Path.Combine(directory, name + ".conf");
        File.WriteAllText(
            file,
            $"""
            [lookup]
            socketmap = unix:{directory}/{name}.map
            tcp_table =
            [store]
            engine = postgresql
            postgresql = {store["postgresql:".Length..]}
            database = {directory}/{name}.db
            status_file = {directory}/{name}.status
            node = {name}
            [probe]
            enabled = {(probes ? "yes" : "no")}
            private_addresses = yes
            resolver = 127.0.0.1:9
            reply_timeout = 1s
            address_spacing = 0s
            provider_spacing = 0s
            interval = 5s
            back_off = 1s

            """);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "policyd"), ["--config", file]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        running[name] = process;
    }

    private async Task StopAsync(string name)
    {
        running.Remove(name, out var process);
        Signal(process!, "TERM");
        await process!.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        process.Dispose();
    }

    private async Task KillAsync(string name)
    {
        running.Remove(name, out var process);
        process!.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.Dispose();
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
