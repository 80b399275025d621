using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
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

/// <summary>What somebody between us and the partner tries: none of it serves a key that neither a person nor sound evidence stands behind.</summary>
public sealed class AttackStoryTests : IAsyncDisposable
{
    private static readonly X509Certificate2 Genuine = TestCertificates.Issued("mx.test");
    private static readonly X509Certificate2 Attacker = TestCertificates.Issued("mx.test");

    private readonly SettableClock time = new(TestCertificates.Now);
    private readonly FakeDnsServer dns = new();
    private readonly MemoryLedger ledger = new();
    private readonly List<FakeSmtpServer> servers = [];
    private readonly Dictionary<string, X509Certificate2> shown = new() { ["127.0.0.1"] = Genuine, ["127.0.0.2"] = Genuine };
    private readonly string key;
    private readonly int port;
    private CancellationTokenSource stop = new();
    private ProbeEngine? engine;
    private MxResolver? resolver;
    private Task running = Task.CompletedTask;

    public AttackStoryTests()
    {
        servers.Add(new FakeSmtpServer(FakeSmtpConnection.Polite(() => shown["127.0.0.1"])));
        port = servers[0].Target.Port;
        servers.Add(new FakeSmtpServer(FakeSmtpConnection.Polite(() => shown["127.0.0.2"]), IPAddress.Parse("127.0.0.2"), port));
        key = $"partner.test:{port}";
    }

    [Theory]
    [InlineData(PinMode.Assist, false)]
    [InlineData(PinMode.Assist, true)]
    [InlineData(PinMode.Auto, false)]
    [InlineData(PinMode.Auto, true)]
    public async Task Somebody_on_the_way_to_one_address_or_to_all_with_a_public_certificate(PinMode mode, bool onAll)
    {
        Zone(secure: false);
        await StartAsync(mode, trusted: true);
        Intercept(onAll);

        await ProbeForAsync(hours: 60, every: 4);

        AssertNotServed();
    }

    [Fact]
    public async Task Somebody_on_the_way_to_one_of_two_addresses_of_a_signed_zone_for_days()
    {
        Zone(secure: true);
        await StartAsync(PinMode.Auto, trusted: true);
        Intercept(onAll: false);

        await ProbeForAsync(hours: 60, every: 4);

        AssertNotServed();
    }

    [Fact]
    public async Task Somebody_with_a_certificate_for_less_than_the_hold_down_again_and_again()
    {
        Zone(secure: true);
        await StartAsync(PinMode.Auto, trusted: true);
        for (var day = 0; day < 3; day++)
        {
            Intercept(onAll: true);
            await ProbeForAsync(hours: 20, every: 4);
            Restore();
            await ProbeAsync(hours: 1);
        }

        AssertNotServed();
    }

    [Fact]
    public async Task Somebody_who_comes_back_after_the_daemon_was_stopped_between()
    {
        Zone(secure: true);
        await StartAsync(PinMode.Auto, trusted: true);
        Intercept(onAll: true);
        await ProbeForAsync(hours: 8, every: 2);
        await StopAsync();
        time.Advance(TimeSpan.FromHours(20));

        Run(trusted: true);
        await ProbeForAsync(hours: 20, every: 4);

        AssertNotServed();
        await ProbeForAsync(hours: 8, every: 4);
        Assert.True(IsServed(Attacker), "the whole hold-down in a signed zone is what mode auto means: or this test proves nothing");
    }

    [Theory]
    [InlineData(25, 0)]
    [InlineData(24 * 400, 0)]
    [InlineData(5, 3)]
    [InlineData(2, 12)]
    public async Task A_clock_that_is_ahead_and_set_back_while_somebody_answers(int hours, int again)
    {
        Zone(secure: true);
        await StartAsync(PinMode.Auto, trusted: true);
        Intercept(onAll: true);
        await ProbeForAsync(hours: 3, every: 1);
        for (var jump = 0; jump <= again; jump++)
        {
            time.Set(TimeSpan.FromHours(hours));
            await ProbeAsync(hours: 0.1);
            AssertNotServed();
        }

        time.Set(TimeSpan.FromHours(-hours * (again + 1)));
        await ProbeForAsync(hours: 12, every: 4);

        AssertNotServed();
        Assert.Contains(ledger.ProberFindings.Concat(jumps), finding => finding.Kind == FindingKind.ClockJumped);
    }

    [Fact]
    public async Task The_zones_signatures_are_stripped_and_records_for_the_attacker_put_in()
    {
        Zone(secure: true);
        Tlsa(Genuine, authentic: true);
        await StartAsync(PinMode.Auto, trusted: true);
        Forget();
        Zone(secure: false);
        Tlsa(Attacker, authentic: false);
        Intercept(onAll: true);

        await ProbeForAsync(hours: 40, every: 4);

        AssertNotServed();
        Assert.Contains(ledger.Results.Last().Result.Findings, finding => finding.Kind is FindingKind.DnssecLost or FindingKind.MxSetReplaced);
    }

    [Fact]
    public async Task A_resolver_that_was_honest_at_its_self_test_and_forges_since()
    {
        Zone(secure: false);
        await StartAsync(PinMode.Assist, trusted: true);
        dns.AlwaysAuthentic = true;
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Records = [("bogus.test", FakeDnsServer.A, [192, 0, 2, 1])] });
        Tlsa(Attacker, authentic: true);
        Intercept(onAll: true);

        // Within the hour for which the self-test's word lasts.
        for (var minute = 0; minute < 3; minute++)
            await ProbeAsync(hours: 0.3);

        AssertNotServed();
        Assert.Contains(ledger.ProberFindings, finding =>
            finding.Kind == FindingKind.ResolverNotValidating && finding.Detail.Contains("immediately before", StringComparison.Ordinal));
        await ProbeForAsync(hours: 12, every: 4);
        AssertNotServed();
    }

    [Theory]
    [InlineData(PinState.Retired)]
    [InlineData(PinState.Revoked)]
    [InlineData(PinState.Rejected)]
    public async Task A_key_that_was_retired_revoked_or_rejected_is_replayed(PinState state)
    {
        Zone(secure: state != PinState.Retired);
        if (state != PinState.Retired)
        {
            Tlsa(Genuine, authentic: true);
            Tlsa(Attacker, authentic: true);
        }

        await StartAsync(PinMode.Auto, trusted: true, new Pin(KeyOf(Attacker), PinSubject.PublicKey, state, PinStrength.Person, time.GetUtcNow()));
        Intercept(onAll: true);

        await ProbeForAsync(hours: 40, every: 4);

        AssertNotServed();
        Assert.Contains(ledger.Results.Last().Result.Findings, finding => finding.Detail.Contains(state.Name(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_rejected_key_under_a_new_certificate_with_records_in_a_signed_zone()
    {
        Zone(secure: true);
        using var again = SameKey(Attacker);
        Tlsa(Genuine, authentic: true);
        Tlsa(Attacker, authentic: true);
        await StartAsync(PinMode.Auto, trusted: true, new Pin(KeyOf(Attacker), PinSubject.PublicKey, PinState.Rejected, PinStrength.Person, time.GetUtcNow()));
        shown["127.0.0.1"] = shown["127.0.0.2"] = again;

        await ProbeForAsync(hours: 40, every: 4);

        AssertNotServed();
    }

    [Fact]
    public async Task The_third_new_key_of_a_week_though_the_zone_names_it()
    {
        Zone(secure: true);
        Tlsa(Genuine, authentic: true);
        await StartAsync(PinMode.Assist, trusted: true);
        var keys = Enumerable.Range(0, 3).Select(_ => TestCertificates.SelfSigned("mx.test")).ToList();
        foreach (var next in keys)
        {
            Tlsa(next, authentic: true);
            shown["127.0.0.1"] = shown["127.0.0.2"] = next;
            await ProbeForAsync(hours: 30, every: 6);
        }

        Assert.Equal([true, true, false], keys.Select(IsServed));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var server in servers)
            await server.DisposeAsync();
        await dns.DisposeAsync();
        stop.Dispose();
    }

    private readonly List<Finding> jumps = [];

    private void AssertNotServed() => Assert.False(IsServed(Attacker), "the attacker's key is served");

    private bool IsServed(X509Certificate2 certificate) => ledger.StateOf(key, KeyOf(certificate))?.IsServed() == true;

    private void Intercept(bool onAll)
    {
        shown["127.0.0.2"] = Attacker;
        if (onAll)
            shown["127.0.0.1"] = Attacker;
    }

    private void Restore() => shown["127.0.0.1"] = shown["127.0.0.2"] = Genuine;

    private static Fingerprint KeyOf(X509Certificate2 certificate) =>
        Fingerprint.Compute(DigestAlgorithm.Sha256, certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static X509Certificate2 SameKey(X509Certificate2 certificate)
    {
        using var ecdsa = certificate.GetECDsaPrivateKey()!;
        using var made = new CertificateRequest("CN=mx.test", ecdsa, HashAlgorithmName.SHA256)
            .CreateSelfSigned(TestCertificates.Now.AddDays(-1), TestCertificates.Now.AddDays(90));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private void Zone(bool secure)
    {
        dns.AddMx("partner.test", 10, "mx.test", secure);
        dns.AddHost("mx.test", secure, "127.0.0.1", "127.0.0.2");
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Authentic = true, Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 1])] });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
    }

    private void Forget()
    {
        foreach (var (name, type) in new[] { ("partner.test", FakeDnsServer.Mx), ("mx.test", FakeDnsServer.A), ("mx.test", FakeDnsServer.Aaaa), ($"_{port}._tcp.mx.test", FakeDnsServer.Tlsa) })
            dns.Set(name, type, new FakeDnsReply());
    }

    private void Tlsa(X509Certificate2 named, bool authentic) => dns.Add(
        $"_{port}._tcp.mx.test", FakeDnsServer.Tlsa, [3, 1, 1, .. Convert.FromHexString(KeyOf(named).Hex)], authentic);

    private async Task StartAsync(PinMode mode, bool trusted, params Pin[] others)
    {
        ledger.Add(key, TlsLevel.Fingerprint, mode, [new Pin(KeyOf(Genuine), PinSubject.PublicKey, PinState.Active, PinStrength.Person, time.GetUtcNow()), .. others]);
        Run(trusted);
        await Until.TrueAsync(() => !ledger.Results.IsEmpty);
        Assert.Equal(DestinationVerdict.Ok, ledger.Results.Last().Result.Verdict);
    }

    private void Run(bool trusted)
    {
        resolver = new MxResolver(
            new DnsOptions { Resolvers = [dns.EndPoint], ResolverTrusted = trusted, SecureTestName = "secure.test", BogusTestName = "bogus.test" }, time);
        var probe = new StartTlsProbe(new ProbeOptions { EhloName = "prober.test", PrivateAddresses = true, Roots = [TestCertificates.Root] }, time);
        engine = new ProbeEngine(
            ledger, resolver, probe, new ScheduleOptions { ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.Zero }, PostfixSettings.Default, new Random(1),
            time, NullLogger.Instance);
        running = Task.Run(() => engine.RunAsync(stop.Token));
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        engine?.Dispose();
        resolver?.Dispose();
        stop.Dispose();
        stop = new CancellationTokenSource();
    }

    private async Task ProbeForAsync(double hours, double every)
    {
        for (var passed = 0.0; passed < hours; passed += every)
            await ProbeAsync(every);
    }

    private async Task ProbeAsync(double hours)
    {
        // A probe that is under way must not have its deadlines jump past.
        await Until.TrueAsync(() => engine!.IsIdle);
        time.Advance(TimeSpan.FromHours(hours));
        var results = ledger.Results.Count;
        engine!.Want(NextHop.Parse(key), ProbeReason.Person);
        await Until.TrueAsync(() => ledger.Results.Count > results);
        await Until.TrueAsync(() => engine.IsIdle);
        jumps.AddRange(ledger.ProberFindings.Where(finding => finding.Kind == FindingKind.ClockJumped));
    }
}
