using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Daemon.Alerts;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The prober, its store and the alerts over real sockets: six faults are six findings and six alerts, and six ends.</summary>
public sealed class SixFaultsTests : IAsyncDisposable
{
    private static readonly X509Certificate2[] Keys = [.. Enumerable.Range(0, 4).Select(_ => TestCertificates.SelfSigned("mx.test"))];
    private static readonly string[] Names = ["changed", "stale", "rejected", "plain", "hijack", "rotate"];

    private readonly ProbedNetwork network = new(trusted: true);
    private readonly X509Certificate2[] shown = [.. Names.Select(_ => Keys[0])];
    private readonly FakeChannel channel = new("alert_command");
    private readonly CancellationTokenSource stop = new();
    private readonly List<string> keys = [];
    private readonly Settings settings;
    private readonly ProberComposition parts;
    private readonly ProbeLedger ledger;
    private readonly ProbeEngine engine;
    private readonly SnapshotLoader loader;
    private readonly AlertService alerts;
    private readonly Task running;
    private bool isPlain;

    public SixFaultsTests()
    {
        for (var i = 0; i < Names.Length; i++)
        {
            var (at, name) = (i, Names[i]);
            var polite = FakeSmtpConnection.Polite(() => shown[at]);
            network.Serve(name == "plain" ? connection => isPlain ? WithoutStartTls(connection) : polite(connection) : polite, $"127.0.0.{i + 1}");
            keys.Add(network.Domain($"{name}.test", $"mx.{name}.test", name is "stale" or "rotate", $"127.0.0.{i + 1}"));
            network.Session.Succeed("domain", "add", keys[i], "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Keys[0]));
        }

        network.Tlsa("mx.stale.test", Keys[0]);
        network.Tlsa("mx.rotate.test", Keys[0]);
        network.Session.Succeed("pin", "reject", keys[2], ProbedNetwork.KeyPin(Keys[1]));
        // The hijacker's server.
        network.Serve(Keys[3], "127.0.0.9");
        network.Dns.AddHost("mx.evil.test", false, "127.0.0.9");

        settings = SettingsReader.Load(network.Session.Config);
        var time = network.Session.Time;
        parts = new ProberComposition(settings.Probe, settings.Postfix, time);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, time);
        var schedule = parts.Schedule with { ProbesPerSecond = 1_000_000, Rotation = parts.Schedule.Rotation with { BrakeAtLeast = 100 } };
        engine = new ProbeEngine(ledger, parts.Resolver, parts.Probe, schedule, settings.Postfix, new Random(1), time, NullLogger.Instance);
        var configuration = new RunningConfiguration(settings);
        loader = new SnapshotLoader(new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        alerts = new AlertService(configuration, loader, ledger, [channel], NullLogger<AlertService>.Instance, time);
        running = Task.WhenAll(alerts.StartWorkers(stop.Token).Append(Task.Run(() => engine.RunAsync(stop.Token))));
    }

    [Fact]
    public async Task Six_faults_are_six_findings_and_six_alerts_that_settle_when_they_are_over()
    {
        await PassAsync();
        // Nothing is wrong. Two are pinned though their owners keep TLSA records: that is advice.
        Assert.Equal(["rotate pin-beside-dane for-information", "stale pin-beside-dane for-information"], Shown(Open()));
        // The third rotation within a week: two that DANE admits go first, and are no finding.
        foreach (var next in new[] { 1, 2 })
        {
            network.Tlsa("mx.rotate.test", Keys[next]);
            shown[5] = Keys[next];
            await PassAsync();
            await PassAsync(minutes: 20);
        }

        Assert.Empty(Faults());
        Assert.Empty(channel.Told);

        shown[0] = Keys[1];
        shown[1] = Keys[1];
        shown[2] = Keys[1];
        isPlain = true;
        network.Dns.Set("hijack.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("hijack.test", 10, "mx.evil.test");
        network.Tlsa("mx.rotate.test", Keys[3]);
        shown[5] = Keys[3];
        for (var i = 0; i < 3; i++)
            await PassAsync(minutes: 20);

        string[] expected =
        [
            "hijack mx-set-replaced mail-waits", "changed new-key mail-waits", "rejected rejected-key-seen mail-waits",
            "rotate rotating-too-often mail-waits", "plain starttls-gone mail-waits", "stale tlsa-mismatch mail-waits",
        ];
        Assert.Equal(expected.Order(), Shown(Open()));
        Assert.Equal(6, channel.Told.Count);
        Assert.All(channel.Told, told => Assert.Equal(("opened", 0, "mail-waits"), (told.Event, told.Escalation, told.Finding.Severity)));
        Assert.Equal(expected.Order(), channel.Told.Select(told => $"{Name(told.Finding.Subject)} {told.Finding.Kind} {told.Finding.Severity}").Order());

        // Nothing answers for a while: nothing ends, and nothing begins anew.
        network.Dns.Set("changed.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
        await PassAsync();
        network.Dns.Set("changed.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("changed.test", 10, "mx.changed.test");
        await PassAsync();
        Assert.Equal(6, channel.Told.Count(told => told.Finding.Kind != "dns-trouble"));

        Heal();
        await PassAsync();
        await PassAsync();
        Assert.Empty(Faults());
        Assert.Equal(6, channel.Told.Count(told => told is { Event: "settled", Finding.Kind: not "dns-trouble" }));
        Assert.Equal(12, channel.Told.Count(told => told.Finding.Kind != "dns-trouble"));
    }

    [Fact]
    public async Task While_an_attack_is_not_excluded_no_remedy_and_no_hasty_command_lets_the_attacker_in()
    {
        await PassAsync();
        network.Dns.Set("hijack.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("hijack.test", 10, "mx.evil.test");
        await PassAsync();
        var key = keys[4];
        var (genuine, attacker) = (ProbedNetwork.KeyPin(Keys[0]), ProbedNetwork.KeyPin(Keys[3]));
        Assert.Equal($"policyctl check {key}", Assert.Single(Faults()).Remedy);

        foreach (var words in new string[][] { ["pin", "approve", key, attacker], ["pin", "revoke", key, genuine] })
        {
            var refused = network.Session.Run(words);
            Assert.Equal(2, (int)refused.Code);
            Assert.Contains("mx-set-replaced since ", refused.Error, StringComparison.Ordinal);
            Assert.Contains("the MX hosts were mx.hijack.test and are now mx.evil.test", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"policyctl check {key}", refused.Error, StringComparison.Ordinal);
        }

        var looked = network.Session.Run("check", key, "--format", "tsv");
        Assert.Contains("the MX hosts were mx.hijack.test and are now mx.evil.test", looked.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("pin approve", looked.Out, StringComparison.Ordinal);

        // The partner said so over the telephone.
        network.Session.Succeed("pin", "approve", key, attacker, "--reason", "moved to another provider");
        await PassAsync();
        Assert.DoesNotContain(Open(), open => open.Kind == FindingKind.MxSetReplaced);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        engine.Dispose();
        alerts.Dispose();
        loader.Dispose();
        ledger.Dispose();
        parts.Dispose();
        stop.Dispose();
        await network.DisposeAsync();
    }

    private static async Task WithoutStartTls(FakeSmtpConnection connection)
    {
        await connection.SendAsync("220 mx.example ESMTP\r\n");
        while (await connection.ReadCommandAsync() is { } command)
            await connection.SendAsync(command.StartsWith("QUIT", StringComparison.Ordinal) ? "221 bye\r\n" : "250 mx.example\r\n");
    }

    private static string Name(string subject) => subject.Split('.')[0];

    private void Heal()
    {
        Array.Fill(shown, Keys[0]);
        isPlain = false;
        network.Dns.Set("hijack.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("hijack.test", 10, "mx.hijack.test");
    }

    private static IEnumerable<string> Shown(IEnumerable<Finding> findings) => findings.Select(open => $"{Name(open.Subject)} {open.Kind.Name()} {open.Severity.Name()}").Order();

    private List<Finding> Faults() => Open().FindAll(open => !open.Kind.Description().IsAdvice);

    private List<Finding> Open()
    {
        using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, network.Session.Time);
        return [.. store.OpenFindings().Select(open => open.Finding)];
    }

    /// <summary>Lets time pass, has every destination probed, and people told of what was found.</summary>
    private async Task PassAsync(double minutes = 60)
    {
        await Until.TrueAsync(() => engine.IsIdle);
        network.Session.Time.Advance(TimeSpan.FromMinutes(minutes));
        var asked = network.Session.Time.GetUtcNow();
        foreach (var key in keys)
            engine.Want(NextHop.Parse(key), ProbeReason.Person);
        await Until.TrueAsync(() => keys.All(key => ledger.Read(NextHop.Parse(key))?.LastProbe >= asked) && engine.IsIdle);
        alerts.Pass();
        await Until.TrueAsync(() =>
        {
            alerts.Pass();
            return alerts.Waiting == 0;
        });
    }
}
