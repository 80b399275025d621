using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe;

/// <summary>The whole prober against real sockets: resolver, servers, engine, rotation. Only the clock and the ledger are the test's.</summary>
public sealed class ProberStoryTests : IAsyncDisposable
{
    private static readonly X509Certificate2 Old = TestCertificates.SelfSigned("mx.test");
    private static readonly X509Certificate2 New = TestCertificates.SelfSigned("mx.test");

    private readonly FakeTimeProvider time = new(TestCertificates.Now);
    private readonly FakeDnsServer dns = new();
    private readonly MemoryLedger ledger = new();
    private readonly CancellationTokenSource stop = new();
    private readonly FakeSmtpServer server;
    private readonly List<FakeSmtpServer> others = [];
    private readonly string key;
    private X509Certificate2 certificate = Old;
    private ProbeEngine? engine;
    private MxResolver? resolver;
    private Task running = Task.CompletedTask;

    public ProberStoryTests()
    {
        server = new FakeSmtpServer(FakeSmtpConnection.Polite(() => certificate));
        key = $"partner.test:{server.Target.Port}";
    }

    private string Owner => key;

    [Fact]
    public async Task A_self_signed_server_renews_its_key_a_person_approves_and_the_old_pin_retires()
    {
        Zone(secure: false, "127.0.0.1");
        Start(PinMode.Assist);
        var first = await ProbeAsync();
        Assert.Equal(DestinationVerdict.Ok, first.Result.Verdict);

        certificate = New;
        var flagged = await ProbeAsync();
        Assert.Equal(DestinationVerdict.Mismatch, flagged.Result.Verdict);
        var finding = Assert.Single(flagged.Result.Findings, finding => finding.Kind == FindingKind.NewKey);
        Assert.Equal([KeyOf(Old)], finding.Expected);
        Assert.Equal(KeyOf(New), Assert.Single(finding.Seen).PublicKey);
        Assert.Equal(PinState.Active, ledger.StateOf(Owner, KeyOf(Old)));
        Assert.Equal(PinState.Candidate, ledger.StateOf(Owner, KeyOf(New)));

        ledger.Approve(Owner, KeyOf(New), time.GetUtcNow());
        Assert.Equal(DestinationVerdict.Ok, (await ProbeAsync()).Result.Verdict);
        for (var day = 0; day < 4; day++)
            await ProbeAsync(hours: 24);
        Assert.Equal(PinState.Retiring, ledger.StateOf(Owner, KeyOf(Old)));
        for (var day = 0; day < 12; day++)
            await ProbeAsync(hours: 24);
        Assert.Equal(PinState.Retired, ledger.StateOf(Owner, KeyOf(Old)));
    }

    [Fact]
    public async Task With_a_TLSA_record_for_the_new_key_in_a_signed_zone_it_is_promoted_by_itself()
    {
        Zone(secure: true, "127.0.0.1");
        Tlsa(Old);
        Start(PinMode.Assist, trusted: true);
        Assert.Equal(DestinationVerdict.Ok, (await ProbeAsync()).Result.Verdict);

        Tlsa(New);
        certificate = New;
        await ProbeAsync();
        await ProbeAsync(hours: 0.3);

        Assert.Equal(PinState.Active, ledger.StateOf(Owner, KeyOf(New)));
        Assert.Equal(DestinationVerdict.Ok, (await ProbeAsync()).Result.Verdict);
    }

    [Fact]
    public async Task A_forwarder_that_sets_AD_and_does_not_validate_promotes_nothing()
    {
        Zone(secure: true, "127.0.0.1");
        Tlsa(Old);
        Tlsa(New);
        dns.AlwaysAuthentic = true;
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Records = [("bogus.test", FakeDnsServer.A, [192, 0, 2, 1])] });
        Start(PinMode.Auto, trusted: true);
        await ProbeAsync();
        certificate = New;

        for (var i = 0; i < 5; i++)
            await ProbeAsync(hours: 12);

        Assert.Equal(PinState.Candidate, ledger.StateOf(Owner, KeyOf(New)));
        Assert.Contains(ledger.ProberFindings, finding => finding.Kind == FindingKind.ResolverNotValidating);
    }

    [Fact]
    public async Task A_man_in_the_middle_on_one_of_two_addresses_degrades_and_on_both_is_a_mismatch()
    {
        var there = Old;
        others.Add(new FakeSmtpServer(
            FakeSmtpConnection.Polite(() => there), IPAddress.Parse("127.0.0.2"), server.Target.Port));
        Zone(secure: false, "127.0.0.1", "127.0.0.2");
        Start(PinMode.Auto);
        Assert.Equal(DestinationVerdict.Ok, (await ProbeAsync()).Result.Verdict);

        there = New;
        Assert.Equal(DestinationVerdict.Degraded, (await ProbeAsync()).Result.Verdict);
        certificate = New;
        for (var i = 0; i < 5; i++)
            Assert.Equal(DestinationVerdict.Mismatch, (await ProbeAsync(hours: 12)).Result.Verdict);

        Assert.Equal(PinState.Active, ledger.StateOf(Owner, KeyOf(Old)));
        Assert.Equal(PinState.Candidate, ledger.StateOf(Owner, KeyOf(New)));
    }

    [Fact]
    public async Task A_resolver_that_is_gone_or_says_bogus_changes_nothing_but_the_finding()
    {
        Zone(secure: false, "127.0.0.1");
        Start(PinMode.Auto);
        await ProbeAsync();
        var connections = server.Connections;
        certificate = New;

        foreach (var reply in new[] { new FakeDnsReply { Code = 2 }, new FakeDnsReply { Bogus = true } })
        {
            dns.Set("partner.test", FakeDnsServer.Mx, reply);
            var result = await ProbeAsync();
            Assert.Empty(result.Result.Transitions);
            var finding = Assert.Single(result.Result.Findings, finding => finding.Kind == FindingKind.DnsTrouble);
            Assert.Equal(reply.Bogus ? ProbeOutcome.Bogus : ProbeOutcome.DnsFailure, finding.Outcome);
        }

        Assert.Equal(connections, server.Connections);
        Assert.Equal(PinState.Active, ledger.StateOf(Owner, KeyOf(Old)));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        engine?.Dispose();
        resolver?.Dispose();
        await server.DisposeAsync();
        foreach (var other in others)
            await other.DisposeAsync();
        await dns.DisposeAsync();
        stop.Dispose();
    }

    private static Fingerprint KeyOf(X509Certificate2 certificate) =>
        Fingerprint.Compute(DigestAlgorithm.Sha256, certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private void Zone(bool secure, params string[] addresses)
    {
        dns.AddMx("partner.test", 10, "mx.test", secure);
        dns.AddHost("mx.test", secure, addresses);
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply
        {
            Authentic = true,
            Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 1])],
        });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
    }

    private void Tlsa(X509Certificate2 named) =>
        dns.Add(
            $"_{server.Target.Port}._tcp.mx.test", FakeDnsServer.Tlsa, [3, 1, 1, .. Convert.FromHexString(KeyOf(named).Hex)], authentic: true);

    private void Start(PinMode mode, bool trusted = false)
    {
        ledger.Add(
            key, TlsLevel.Fingerprint, mode,
            new Pin(KeyOf(Old), PinSubject.PublicKey, PinState.Active, PinStrength.Person, time.GetUtcNow()));
        resolver = new MxResolver(
            new DnsOptions
            {
                Resolvers = [dns.EndPoint],
                ResolverTrusted = trusted,
                SecureTestName = "secure.test",
                BogusTestName = "bogus.test",
            },
            time);
        var probe = new StartTlsProbe(
            new ProbeOptions { EhloName = "prober.test", PrivateAddresses = true, Roots = [TestCertificates.Root] },
            time);
        engine = new ProbeEngine(
            ledger, resolver, probe, new ScheduleOptions { ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.Zero }, PostfixSettings.Default, new Random(1), time,
            NullLogger.Instance);
        running = Task.Run(() => engine.RunAsync(stop.Token));
    }

    /// <summary>Lets time pass, and waits for a probe that began after it.</summary>
    private async Task<ProbeResult> ProbeAsync(double hours = 1)
    {
        if (ledger.Results.IsEmpty)
        {
            await Until.TrueAsync(() => !ledger.Results.IsEmpty);
            return ledger.Results.Last();
        }

        // A probe that is under way must not have its deadlines jump past.
        await Until.TrueAsync(() => engine!.IsIdle);
        time.Advance(TimeSpan.FromHours(hours));
        var asked = time.GetUtcNow();
        engine!.Want(NextHop.Parse(key), ProbeReason.Person);
        await Until.TrueAsync(() => ledger.Results.Last().At >= asked);
        return ledger.Results.Last();
    }
}
