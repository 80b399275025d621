using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.MtaSts;

public sealed class StsDiscoveryTests : IAsyncDisposable
{
    private const int Txt = 16;
    private const string Policy = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.test\n";

    private static readonly X509Certificate2 Certificate = TestCertificates.Issued("mta-sts.example.test");

    private readonly FakeTimeProvider time = new(TestCertificates.Now);
    private readonly FakeDnsServer dns = new();

    public ValueTask DisposeAsync() => dns.DisposeAsync();

    [Fact]
    public async Task A_policy_is_fetched_and_read()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        Announce("v=STSv1; id=2026;");

        var found = await FindAsync(host);

        Assert.Equal(StsStatus.Valid, found.Status);
        Assert.Equal("2026", found.Record!.Id);
        Assert.Equal(StsMode.Enforce, found.Policy!.Mode);
        Assert.Equal("GET /.well-known/mta-sts.txt HTTP/1.1", Assert.Single(host.Requests));
    }

    [Fact]
    public async Task A_record_in_several_strings_is_one_record()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        dns.Add("_mta-sts.example.test", Txt, [.. Text("v=STSv1; "), .. Text("id=77;")]);

        Assert.Equal("77", (await FindAsync(host)).Record!.Id);
    }

    [Fact]
    public async Task Without_a_record_nothing_is_fetched()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        Announce("v=spf1 -all");

        Assert.Equal(StsStatus.Absent, (await FindAsync(host)).Status);
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task Two_records_are_no_policy()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        Announce("v=STSv1; id=1;");
        Announce("v=STSv1; id=2;");

        Assert.Equal(StsStatus.Invalid, (await FindAsync(host)).Status);
    }

    [Theory]
    [InlineData("HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.test/\r\nContent-Length: 0\r\n\r\n", StsStatus.FetchError, "redirects")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", StsStatus.FetchError, "404")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", StsStatus.FetchError, "text/html")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nversion: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example.test\n", StsStatus.FetchError, "without a Content-Type")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nmode: x", StsStatus.Invalid, "version")]
    [InlineData("nonsense\r\n\r\n", StsStatus.FetchError, "mta-sts.example.test")]
    [InlineData("", StsStatus.FetchError, "mta-sts.example.test")]
    public async Task What_is_not_a_policy_is_named(string response, StsStatus status, string detail)
    {
        await using var host = new FakePolicyHost(Certificate, response);
        Announce("v=STSv1; id=1;");

        var found = await FindAsync(host);

        Assert.Equal(status, found.Status);
        Assert.Contains(detail, found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_without_end_is_not_read_to_its_end()
    {
        await using var host = new FakePolicyHost(Certificate, async (stream, cancellation) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"), cancellation);
            while (true)
                await stream.WriteAsync(new byte[16 * 1024], cancellation);
        });
        Announce("v=STSv1; id=1;");

        var found = await FindAsync(host);

        Assert.Equal((StsStatus.FetchError, "mta-sts.example.test serves a policy that is longer than 64 KiB"), (found.Status, found.Detail));
    }

    [Fact]
    public async Task A_host_that_says_nothing_is_given_up()
    {
        var arrived = new TaskCompletionSource();
        await using var host = new FakePolicyHost(Certificate, async (_, cancellation) =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
        });
        Announce("v=STSv1; id=1;");

        var finding = FindAsync(host);
        await arrived.Task;
        time.Advance(TimeSpan.FromSeconds(21));

        Assert.Equal((StsStatus.FetchError, "mta-sts.example.test did not answer within 20 s"), ((await finding).Status, (await finding).Detail));
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_and_one_for_another_name_are_told_apart_from_other_failures()
    {
        Announce("v=STSv1; id=1;");
        await using var selfSigned = new FakePolicyHost(TestCertificates.SelfSigned("mta-sts.example.test"), FakePolicyHost.Ok(Policy));
        await using var other = new FakePolicyHost(TestCertificates.Issued("www.example.test"), FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.WebPkiInvalid, (await FindAsync(selfSigned)).Status);
        var found = await FindAsync(other);
        Assert.Equal(StsStatus.WebPkiInvalid, found.Status);
        Assert.Contains("other names", found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_address_is_not_asked_unless_the_configuration_says_so()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        Announce("v=STSv1; id=1;");

        var found = await FindAsync(host, privateAddresses: false);

        Assert.Equal(StsStatus.FetchError, found.Status);
        Assert.Contains("loopback", found.Detail, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
    }

    [Theory]
    [InlineData("[mx.example.test]")]
    [InlineData(".example.test")]
    [InlineData("[192.0.2.1]:25")]
    public async Task Only_a_domain_can_have_one(string key)
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.NotApplicable, (await FindAsync(host, key: key)).Status);
        Assert.DoesNotContain(dns.Questions, question => question.Item2 == Txt);
    }

    [Fact]
    public async Task A_resolver_that_fails_says_nothing()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        dns.Set("_mta-sts.example.test", Txt, new FakeDnsReply { Code = 2 });

        Assert.Equal(StsStatus.DnsFailure, (await FindAsync(host)).Status);
    }

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private void Announce(string record)
    {
        dns.Add("_mta-sts.example.test", Txt, Text(record));
        if (!dns.Questions.Any())
            dns.AddHost("mta-sts.example.test", authentic: false);
    }

    private async Task<StsDiscovery> FindAsync(FakePolicyHost host, bool privateAddresses = true, string key = "example.test")
    {
        dns.Set("mta-sts.example.test", FakeDnsServer.A, new FakeDnsReply
        {
            Records = [("mta-sts.example.test", FakeDnsServer.A, IPAddress.Loopback.GetAddressBytes())],
        });
        using var source = new DnsResolvers(new DnsOptions { Resolvers = [dns.EndPoint] }, time);
        await using var discoverer = new Discoverer(
            new MemoryPolicies(), source,
            new PolicyFetcher(source, new StsOptions { Port = host.Port, PrivateAddresses = privateAddresses, Roots = [TestCertificates.Root], Timeout = TimeSpan.FromSeconds(20) }, time),
            DiscoverySettings.Default, new DiscovererOptions(), new Random(1), time, NullLogger.Instance);
        var nextHop = NextHop.Parse(key);
        var evidence = new DiscoveryScope([]).Includes(nextHop) ? (await discoverer.Discover(nextHop, DiscoveryReason.Person).Whole.WaitAsync(TestContext.Current.CancellationToken)).Evidence : null;
        return StsDiscovery.Of(evidence);
    }
}
