using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Dns;

public sealed class SharedAnswersTests : IAsyncDisposable
{
    private const string Host = "mx.example.net";

    private readonly FakeDnsServer dns = new();
    private readonly SettableClock time = new(TestCertificates.Now);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_serves_two_destinations_is_asked_for_once()
    {
        using var resolver = Trusted();
        SelfTestZones();
        dns.AddMx("one.example", 10, Host, authentic: true);
        dns.AddMx("two.example", 10, Host, authentic: true);
        dns.Set(Host, FakeDnsServer.A, Addresses(authentic: true));
        dns.Set(Host, FakeDnsServer.Aaaa, new FakeDnsReply { Authentic = true, AbsenceLife = 300 });
        dns.Add($"_25._tcp.{Host}", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: true);

        var one = await ResolveAsync(resolver, "one.example");
        var two = await ResolveAsync(resolver, "two.example");

        Assert.Equal([1, 1, 1], [Asked(FakeDnsServer.A), Asked(FakeDnsServer.Aaaa), Asked(FakeDnsServer.Tlsa, $"_25._tcp.{Host}")]);
        Assert.Equal(one.Hosts[0].Addresses, two.Hosts[0].Addresses);
        Assert.Equal((DnssecStatus.Secure, DnssecStatus.Secure), (two.Hosts[0].AddressDnssec, two.Hosts[0].TlsaDnssec));
    }

    [Fact]
    public async Task Each_probe_asks_for_the_MX_of_its_destination()
    {
        using var resolver = Untrusted();
        dns.AddMx("one.example", 10, Host);
        dns.Set(Host, FakeDnsServer.A, Addresses());

        await ResolveAsync(resolver, "one.example");
        await ResolveAsync(resolver, "one.example");

        Assert.Equal(2, Asked(FakeDnsServer.Mx, "one.example"));
    }

    [Fact]
    public async Task An_answer_does_not_live_longer_when_the_clock_is_set_back()
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, Addresses() with { Ttl = 10 });

        await AskAsync(shared);
        time.Set(TimeSpan.FromHours(-6));
        time.Advance(TimeSpan.FromSeconds(10));
        await AskAsync(shared);

        Assert.Equal(2, Asked(FakeDnsServer.A));
    }

    [Theory]
    [InlineData(10, 9, 1)]
    [InlineData(10, 10, 2)]
    [InlineData(86_400, 59, 1)]
    [InlineData(86_400, 60, 2)]
    [InlineData(0, 0, 2)]
    [InlineData(-1, 0, 2)]
    public async Task An_answer_is_given_out_for_its_TTL_and_as_long_as_the_one_who_asks_wants_at_most(int ttl, int secondsLater, int asked)
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, Addresses() with { Ttl = ttl });

        await AskAsync(shared);
        time.Advance(TimeSpan.FromSeconds(secondsLater));
        await AskAsync(shared);

        Assert.Equal(asked, Asked(FakeDnsServer.A));
    }

    [Theory]
    [InlineData(86_400, 3599, 1)]
    [InlineData(86_400, 3600, 2)]
    [InlineData(600, 599, 1)]
    [InlineData(600, 600, 2)]
    public async Task Nothing_is_kept_longer_than_an_hour_whoever_asks(int ttl, int secondsLater, int asked)
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, Addresses() with { Ttl = ttl });

        await AskAsync(shared, oldest: 86_400);
        time.Advance(TimeSpan.FromSeconds(secondsLater));
        await AskAsync(shared, oldest: 86_400);

        Assert.Equal(asked, Asked(FakeDnsServer.A));
    }

    [Fact]
    public async Task Who_asks_what_is_being_asked_waits_for_the_same_answer()
    {
        var shared = Shared();
        var hold = new TaskCompletionSource();
        dns.Set(Host, FakeDnsServer.A, Addresses() with { Held = hold.Task, Ttl = 0 });
        using var impatient = new CancellationTokenSource();

        var first = shared.AskAsync(new DnsQuestion(Host, DnsType.A), isTrusted: false, TimeSpan.Zero, impatient.Token);
        var others = Enumerable.Range(0, 20).Select(_ => AskAsync(shared)).ToList();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        hold.SetResult();

        Assert.All(await Task.WhenAll(others), answer => Assert.Equal(DnsAnswerKind.Records, answer.Kind));
        Assert.Equal(1, Asked(FakeDnsServer.A));
        await AskAsync(shared);
        Assert.Equal(2, Asked(FakeDnsServer.A)); // its TTL is zero
    }

    [Theory]
    [InlineData(20, 19, 1)]
    [InlineData(20, 20, 2)]
    [InlineData(null, 0, 2)]
    public async Task An_absence_is_kept_as_long_as_its_SOA_record_says_and_without_one_not_at_all(int? life, int secondsLater, int asked)
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { AbsenceLife = life });

        Assert.Equal(DnsAnswerKind.NoData, (await AskAsync(shared)).Kind);
        time.Advance(TimeSpan.FromSeconds(secondsLater));
        Assert.Equal(DnsAnswerKind.NoData, (await AskAsync(shared)).Kind);

        Assert.Equal(asked, Asked(FakeDnsServer.A));
    }

    [Fact]
    public async Task A_failure_is_asked_for_anew()
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { Code = 2 });
        Assert.Equal(DnsAnswerKind.Failed, (await AskAsync(shared)).Kind);
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { Bogus = true });
        Assert.Equal(DnsAnswerKind.Bogus, (await AskAsync(shared)).Kind);
        dns.Set(Host, FakeDnsServer.A, Addresses());

        Assert.Equal(DnsAnswerKind.Records, (await AskAsync(shared)).Kind);
    }

    [Fact]
    public async Task What_was_said_while_the_resolver_was_not_believed_is_no_evidence_later()
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, Addresses(authentic: true));
        Assert.True((await AskAsync(shared, isTrusted: false)).AuthenticData);
        dns.Set(Host, FakeDnsServer.A, Addresses());

        Assert.False((await AskAsync(shared, isTrusted: true)).AuthenticData);
        Assert.True((await AskAsync(shared, isTrusted: false)).AuthenticData);
    }

    [Fact]
    public async Task Addresses_of_a_forwarder_that_only_set_AD_are_asked_for_again_once_the_self_test_passes()
    {
        using var resolver = Trusted();
        dns.AddMx("one.example", 10, "other.example.net");
        dns.AddMx("two.example", 10, Host, authentic: true);
        dns.Set(Host, FakeDnsServer.A, Addresses(authentic: true));
        dns.Set(Host, FakeDnsServer.Aaaa, new FakeDnsReply { Authentic = true, AbsenceLife = 300 });
        await ResolveAsync(resolver, "one.example");

        // A failed test is repeated after a minute; these addresses are younger than that.
        time.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(DnssecStatus.Unknown, (await ResolveAsync(resolver, "two.example")).Hosts[0].AddressDnssec);
        time.Advance(TimeSpan.FromSeconds(10));
        SelfTestZones();
        dns.Set(Host, FakeDnsServer.A, Addresses());

        Assert.Equal(DnssecStatus.Insecure, (await ResolveAsync(resolver, "two.example")).Hosts[0].AddressDnssec);
        Assert.True(resolver.Test!.Passed);
    }

    [Fact]
    public async Task What_is_kept_has_an_end()
    {
        var shared = new SharedAnswers(new DnsLookup(Options(), time), time, capacity: 4);
        for (var host = 0; host < 50; host++)
        {
            dns.Add($"mx{host}.example.net", FakeDnsServer.A, [192, 0, 2, 1]);
            await AskAsync(shared, $"mx{host}.example.net");
            Assert.True(shared.Count <= 8, $"{shared.Count} answers are kept");
        }

        await AskAsync(shared, "mx49.example.net");
        Assert.Equal(1, Asked(FakeDnsServer.A, "mx49.example.net"));
    }

    [Fact]
    public async Task What_is_too_old_is_let_go_of()
    {
        var shared = Shared();
        dns.Set(Host, FakeDnsServer.A, Addresses());
        await AskAsync(shared);
        shared.Sweep();
        Assert.Equal(1, shared.Count);

        time.Advance(SharedAnswers.Longest); // the TTL is a minute
        shared.Sweep();

        Assert.Equal(0, shared.Count);
    }

    public ValueTask DisposeAsync() => dns.DisposeAsync();

    private static FakeDnsReply Addresses(bool authentic = false) =>
        new() { Authentic = authentic, Records = [(Host, FakeDnsServer.A, [192, 0, 2, 1])] };

    private static Task<MxResolution> ResolveAsync(MxResolver resolver, string key) => resolver.ResolveAsync(NextHop.Parse(key), [], Cancellation);

    private static Task<DnsAnswer> AskAsync(SharedAnswers shared, string name = Host, bool isTrusted = false, int oldest = 60) =>
        shared.AskAsync(new DnsQuestion(name, DnsType.A), isTrusted, TimeSpan.FromSeconds(oldest), Cancellation);

    private int Asked(int type, string name = Host) => dns.Questions.Count(question => question == (name, type));

    private SharedAnswers Shared() => new(new DnsLookup(Options(), time), time);

    private DnsOptions Options() => new() { Resolvers = [dns.EndPoint] };

    private MxResolver Untrusted() => new(Options(), time);

    private MxResolver Trusted() =>
        new(Options() with { ResolverTrusted = true, SecureTestName = "secure.test", BogusTestName = "bogus.test" }, time);

    private void SelfTestZones()
    {
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply
        {
            Authentic = true,
            Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])],
        });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
    }
}
