using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Packaging;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>policyctl metrics</c> and what <c>status</c> takes from the status socket.</summary>
public sealed partial class MetricsTests : IDisposable
{
    private readonly CliSession session = new();

    // One domain, one address and one name of a person, none of which may be told.
    private const string Domain = "partner.example";

    [Fact]
    public void Where_policyd_does_not_answer_only_the_store_is_told()
    {
        session.Succeed("domain", "add", Domain, "--level", "encrypt");
        // A status file that looks fresh: its counters are the past.
        using var running = StatusTests.Run(session, "store", 2);

        var metrics = Metrics();

        Assert.Equal((0, 1), (metrics["policydaemon_up"], metrics["policydaemon_store_up"]));
        Assert.Equal(1, metrics["policydaemon_destinations{level=\"encrypt\"}"]);
        Assert.DoesNotContain(metrics.Keys, name => name.StartsWith("policydaemon_lookups_total", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_policyd_says_is_told()
    {
        session.Succeed("domain", "add", Domain, "--level", "encrypt");
        using var daemon = Daemon.Say(session);

        var metrics = await Task.Run(Metrics);

        Assert.Equal(1, metrics["policydaemon_up"]);
        Assert.Equal(1, metrics["policydaemon_build_info{version=\"1.2.3\"}"]);
        Assert.Equal(5, metrics["policydaemon_lookups_total{protocol=\"socketmap\",map=\"tlspolicy\",answer=\"found\"}"]);
        Assert.Equal(4, metrics["policydaemon_policies_total{protocol=\"socketmap\",map=\"tlspolicy\",level=\"secure\"}"]);
        Assert.Equal(9, metrics["policydaemon_answers_total{answer=\"temporary\"}"]);
        Assert.Equal((1, 0), (metrics["policydaemon_snapshot_source{source=\"store\"}"], metrics["policydaemon_snapshot_source{source=\"file\"}"]));
        Assert.Equal(7, metrics["policydaemon_alerts_total{channel=\"alert_webhook\",result=\"given-up\"}"]);
        Assert.Equal(session.Time.GetUtcNow().AddHours(-1).ToUnixTimeSeconds(), metrics["policydaemon_start_time_seconds"]);
        Assert.Equal(1, metrics["policydaemon_brake_on"]);
        Assert.Equal((3, 1), (metrics["policydaemon_probe_outcomes_total{outcome=\"secured\"}"], metrics["policydaemon_pin_transitions_total{state=\"active\"}"]));
        Assert.Equal((1, 2, 2), (
            metrics["policydaemon_lookup_duration_seconds_bucket{le=\"1e-06\"}"], metrics["policydaemon_lookup_duration_seconds_bucket{le=\"+Inf\"}"],
            metrics["policydaemon_lookup_duration_seconds_count"]));
        Assert.Equal(0.0000045, metrics["policydaemon_lookup_duration_seconds_sum"], 1e-12);
        Assert.Equal((0, 1), (metrics["policydaemon_change_to_live_seconds_bucket{le=\"2\"}"], metrics["policydaemon_change_to_live_seconds_bucket{le=\"3\"}"]));
        Assert.Equal(4, metrics["policydaemon_probe_duration_seconds_count"]);
    }

    /// <summary>What may not be seen is not down: an alarm by night about a group that lacks a member.</summary>
    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Without_the_permission_to_read_the_store_nothing_is_said()
    {
        var result = Unprivileged.Deny(session.Database, () => session.Run("metrics"));

        Assert.Equal((ExitCode.Permission, ""), (result.Code, result.Out));
        Assert.Contains(session.Database, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_permission_to_ask_policyd_nothing_is_said()
    {
        using var daemon = Daemon.Say(session);

        var result = await Task.Run(() => Unprivileged.Deny(session.Database + ".status.sock", () => session.Run("metrics")));

        Assert.Equal((ExitCode.Permission, ""), (result.Code, result.Out));
        Assert.Contains("status.sock: no permission to ask policyd", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_that_cannot_be_read_is_told_and_ends_nothing()
    {
        File.WriteAllText(session.Database, "no store");

        var metrics = Metrics();

        Assert.Equal((0, 0), (metrics["policydaemon_up"], metrics["policydaemon_store_up"]));
    }

    [Fact]
    public void Findings_are_counted_and_their_subjects_are_told_only_where_the_configuration_says_so()
    {
        Raise(FindingKind.EntryNotServable, Domain);
        Raise(FindingKind.DnsTrouble, "one.example");
        Raise(FindingKind.DnsTrouble, "two.example");

        var metrics = Metrics();

        Assert.Equal(2, metrics["policydaemon_findings{kind=\"dns-trouble\"}"]);
        Assert.Equal(0, metrics["policydaemon_findings{kind=\"near-miss\"}"]);
        Assert.Equal((1, 1), (metrics["policydaemon_findings_by_severity{severity=\"mail-waits\"}"], metrics["policydaemon_affected_destinations{severity=\"mail-waits\"}"]));
        Assert.Equal(session.Time.GetUtcNow().ToUnixTimeSeconds(), metrics["policydaemon_finding_oldest_timestamp_seconds{severity=\"mail-waits\"}"]);
        Assert.DoesNotContain(".example", session.Succeed("metrics"), StringComparison.Ordinal);

        File.AppendAllText(session.Config, "[metrics]\nname_findings = yes\n");

        Assert.Equal(1, Metrics()[$"policydaemon_finding_info{{kind=\"entry-not-servable\",subject=\"{Domain}\"}}"]);
    }

    [Fact]
    public void Of_many_findings_a_hundred_are_named_the_worst_first()
    {
        File.AppendAllText(session.Config, "[metrics]\nname_findings = yes\n");
        for (var number = 0; number < 150; number++)
            Raise(FindingKind.DnsTrouble, string.Create(CultureInfo.InvariantCulture, $"d{number}.example"));
        Raise(FindingKind.EntryNotServable, Domain);

        var text = session.Succeed("metrics");

        Assert.Equal(100, Named().Count(text));
        Assert.Contains($"subject=\"{Domain}\"", Named().Match(text).Value, StringComparison.Ordinal);
        Assert.InRange(text.Length, 1, 64 * 1024);
    }

    /// <summary>A label that is new here is a decision: whoever adds one says that its values are a closed set.</summary>
    [Fact]
    public async Task Labels_are_of_closed_sets()
    {
        Raise(FindingKind.EntryNotServable, Domain);
        using var daemon = Daemon.Say(session);
        var text = await Task.Run(() => session.Succeed("metrics"));

        var labels = Label().Matches(text).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(
            ["answer", "channel", "direction", "entries", "failure", "kind", "le", "level", "map", "outcome", "protocol", "result", "severity", "source", "state", "verdict", "version", "within"],
            labels);
        Assert.DoesNotContain(".example", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenMetrics_has_the_same_samples_and_an_end()
    {
        using var daemon = Daemon.Say(session);

        var text = await Task.Run(() => session.Succeed("metrics", "--openmetrics"));

        Assert.EndsWith("# EOF\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE policydaemon_lookups counter\n", text, StringComparison.Ordinal);
        Assert.Equal(Lines(await Task.Run(() => session.Succeed("metrics"))).Count(), Lines(text).Count());
    }

    [Fact]
    public async Task OpenMetrics_is_what_its_specification_says()
    {
        File.AppendAllText(session.Config, "[metrics]\nname_findings = yes\n");
        Raise(FindingKind.EntryNotServable, "a\"b\\c");
        using var daemon = Daemon.Say(session);

        var families = OpenMetricsReader.Read(await Task.Run(() => session.Succeed("metrics", "--openmetrics")));

        Assert.Equal(["counter", "gauge", "histogram"], families.Select(family => family.Type).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("seconds", families.Single(family => family.Name == "policydaemon_change_to_live_seconds").Unit);
        Assert.Equal("a\"b\\c", families.Single(family => family.Name == "policydaemon_finding_info").Samples[0].Labels["subject"]);
    }

    [Fact]
    public void A_configuration_that_cannot_be_read_is_an_error()
    {
        File.AppendAllText(session.Config, "[metrics]\nname_findings = perhaps\n");

        var result = session.Run("metrics");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("metrics.name_findings: 'perhaps' is neither yes nor no", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Out);
    }

    /// <summary>The status file is up to ten seconds old, and what stands in it may be another's.</summary>
    [Fact]
    public async Task Status_believes_the_socket_before_the_file()
    {
        using var running = StatusTests.Run(session, "file", 1);
        using var daemon = Daemon.Say(session);

        var text = await Task.Run(() => session.Succeed("status", "--all"));

        Assert.Contains("5 found, 6 not found, 9 temporary", text, StringComparison.Ordinal);
    }

    /// <summary>The stories with a real Prometheus take this file for a daemon with all that there can be.</summary>
    /// <remarks>Made anew with UPDATE_METRICS=1 in the environment.</remarks>
    [Fact]
    public async Task The_file_of_examples_has_what_is_written()
    {
        session.Succeed("domain", "add", Domain, "--level", "encrypt");
        Raise(FindingKind.EntryNotServable, Domain);
        using var daemon = Daemon.Say(session);
        var text = await Task.Run(() => session.Succeed("metrics"));
        var file = Repository.Path("tests", "PolicyDaemon.EndToEnd", "Data", "metrics.prom");
        if (Environment.GetEnvironmentVariable("UPDATE_METRICS") == "1")
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);

        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), text);
    }

    /// <summary>Whoever writes a rule reads the manual.</summary>
    [Fact]
    public async Task The_manual_describes_every_metric_and_no_other()
    {
        File.AppendAllText(session.Config, "[metrics]\nname_findings = yes\n");
        Raise(FindingKind.EntryNotServable, Domain);
        using var daemon = Daemon.Say(session);
        var text = await Task.Run(() => session.Succeed("metrics"));

        var described = Described().Matches(ManualPage.Read("policyctl.1").Section("METRICS").Text)
            .SelectMany(match => match.Groups[1].Value.Split(" Brq ")[0].Split(" , ")).ToList();

        Assert.Equal(
            Family().Matches(text).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal), described.Where(name => !name.StartsWith("node_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        // Of machines that share a store there is something to tell where they do (FleetStories).
        Assert.Equal(NodeMetrics.Order(StringComparer.Ordinal), described.Where(name => name.StartsWith("node_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    /// <summary>The metrics of each machine that shares a store on a server.</summary>
    internal static readonly string[] NodeMetrics = ["node_up", "node_probes", "node_behind_rows", "node_seen_timestamp_seconds", "node_clock_ahead_seconds", "node_info"];

    public void Dispose() => session.Dispose();

    private Dictionary<string, double> Metrics() => Lines(session.Succeed("metrics")).Select(line => line.Split(' '))
        .ToDictionary(sample => sample[0], sample => double.Parse(sample[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);

    private static IEnumerable<string> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#'));

    private void Raise(FindingKind kind, string subject)
    {
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time);
        store.RaiseFinding(new Finding(kind, subject, "seen", "policyctl status", session.Time.GetUtcNow()));
    }

    [GeneratedRegex("^# TYPE policydaemon_([a-z_]+) ", RegexOptions.Multiline)]
    private static partial Regex Family();

    [GeneratedRegex("^\\.It Va (.*)$", RegexOptions.Multiline)]
    private static partial Regex Described();

    [GeneratedRegex("policydaemon_finding_info{.*}")]
    private static partial Regex Named();

    [GeneratedRegex("[{,]([a-z_]+)=\"")]
    private static partial Regex Label();

    /// <summary>A daemon, as far as its status socket goes.</summary>
    private sealed class Daemon : IDisposable
    {
        private readonly Socket socket;
        private readonly string path;
        private readonly Task serving;

        private Daemon(string path, byte[] document)
        {
            this.path = path;
            socket = UnixSocketFile.Listen(path, UnixFileMode.UserRead | UnixFileMode.UserWrite, 4);
            serving = Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        using var peer = await socket.AcceptAsync(CancellationToken.None);
                        await peer.SendAsync(document, CancellationToken.None);
                    }
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    // The test is over.
                }
            });
        }

        internal static Daemon Say(CliSession session)
        {
            var now = session.Time.GetUtcNow();
            var series = new LookupSeries(now, 1, [], [], [], []);
            var status = new DaemonStatus(
                "1.2.3", 4711, now.AddHours(-1), now, ["socketmap inet:127.0.0.1:8461"],
                new SnapshotStatus("store", "store", 1, "ab", 1, now),
                new LookupCounts(5, 6, 9, 0, 1, new ConnectionCounts(6, 5, 4, 3, 2, 1), 7)
                {
                    Answers =
                    [
                        new("socketmap", "tlspolicy", "found", "secure", 4), new("socketmap", "tlspolicy", "found", "dane", 1),
                        new("tcp_table", "tlspolicy", "temporary", null, 9),
                    ],
                    Durations = new(2, 0.0045, [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
                },
                [],
                new ProberStatus("on", null, 3, 1, 2, now, new ResolverStatus([], true, true, now, null), new BrakeStatus(true, 9, 5), 0)
                {
                    Outcomes = new Dictionary<string, long> { ["secured"] = 3, ["timeout"] = 1 },
                    Durations = new(4, 5200, [0, 1, 3, 3, 3, 3, 4, 4, 4, 4, 4]),
                    Transitions = new Dictionary<string, long> { ["active"] = 1, ["retired"] = 0, ["forgotten"] = 0 },
                })
            {
                ChangeToLive = new(1, 2500, [0, 1, 1, 1, 1, 1, 1, 1]),
                AlertChannels = [new("alert_webhook", 3, 7, 21)],
                Discovery = new DiscoveryStatus(
                    "on", new Dictionary<string, long> { ["dane"] = 1 }, 0, 0, new Dictionary<string, long> { ["entry"] = 2 }, 1, 2, 3, 4, null)
                {
                    Durations = new(1, 20, [0, 1, 1, 1, 1, 1, 1, 1, 1]),
                    DnsFailures = new Dictionary<string, long> { ["timeout"] = 1 },
                    Fetches = new Dictionary<string, long> { ["valid"] = 1 },
                },
            };
            return new Daemon(session.Database + ".status.sock", new StatusDocument(status, series, series).ToBytes());
        }

        public void Dispose()
        {
            socket.Dispose();
            serving.GetAwaiter().GetResult();
            File.Delete(path);
        }
    }
}
