using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.MtaSts;

public sealed class PolicyFetcherTests : IAsyncDisposable
{
    private const string Host = "mta-sts.example.test";
    private const string Policy = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.test\n";

    private static readonly X509Certificate2 Certificate = TestCertificates.Issued(Host);

    private readonly StepTime time = new(TestCertificates.Now);
    private readonly FakeDnsServer dns = new();
    private readonly DnsResolvers source;

    public PolicyFetcherTests()
    {
        source = new DnsResolvers(new DnsOptions { Resolvers = [dns.EndPoint] }, time);
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { Records = [(Host, FakeDnsServer.A, [127, 0, 0, 1])] });
        dns.Set(Host, FakeDnsServer.Aaaa, new FakeDnsReply { AbsenceLife = 60 });
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        source.Dispose();
        time.Dispose();
        await dns.DisposeAsync();
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/plain; charset=utf-8")]
    [InlineData("TEXT/Plain")]
    public async Task A_policy_is_fetched_with_what_DNS_said_of_its_host(string type)
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy, type));

        var fetched = await FetchAsync(host);

        Assert.Equal(new StsFetch(TestCertificates.Now, StsStatus.Valid, Policy, null), fetched.Fetch);
        Assert.Equal([DnsType.A, DnsType.Aaaa], fetched.Answers.Select(answer => answer.Type));
        Assert.Equal("GET /.well-known/mta-sts.txt HTTP/1.1", Assert.Single(host.Requests));
    }

    [Fact]
    public async Task The_host_is_named_as_it_is_certified()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        await FetchAsync(host);

        Assert.Equal(Host, Assert.Single(host.ServerNames));
    }

    [Theory]
    [InlineData("301 Moved\r\nLocation: https://mta-sts.example.test/", "redirects are not followed")]
    [InlineData("302 Found\r\nLocation: /elsewhere", "redirects are not followed")]
    [InlineData("204 No Content", "status 204 instead of 200")]
    [InlineData("203 Changed\r\nContent-Type: text/plain", "status 203 instead of 200")]
    [InlineData("404 Not Found\r\nContent-Type: text/plain", "status 404 instead of 200")]
    [InlineData("503 Busy", "status 503 instead of 200")]
    [InlineData("200 OK", "without a Content-Type")]
    [InlineData("200 OK\r\nContent-Type: text/html", "as text/html")]
    [InlineData("200 OK\r\nContent-Type: application/octet-stream", "as application/octet-stream")]
    [InlineData("200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip", "encoded as gzip")]
    public async Task What_is_not_served_as_a_policy_was_not_fetched(string head, string detail)
    {
        await using var host = new FakePolicyHost(Certificate, $"HTTP/1.1 {head}\r\nContent-Length: {(head.StartsWith("204", StringComparison.Ordinal) ? 0 : Policy.Length)}\r\nConnection: close\r\n\r\n{Policy}");

        var fetch = (await FetchAsync(host)).Fetch;

        Assert.Equal((StsStatus.FetchError, null), (fetch.Status, fetch.Text));
        Assert.Contains(detail, fetch.Detail, StringComparison.Ordinal);
        Assert.Single(host.Requests);
    }

    [Fact]
    public async Task A_text_that_is_no_policy_was_fetched_and_is_kept_for_the_record()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok("mode: enforce\n"));

        Assert.Equal(new StsFetch(TestCertificates.Now, StsStatus.Invalid, "mode: enforce\n", "the policy does not say version: STSv1"), (await FetchAsync(host)).Fetch);
    }

    [Fact]
    public async Task Octets_that_are_no_text_are_no_policy()
    {
        await using var host = new FakePolicyHost(Certificate, async (stream, cancellation) =>
            await stream.WriteAsync((byte[])[.. "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n"u8, 0xff, 0xfe], cancellation));

        Assert.Equal(new StsFetch(TestCertificates.Now, StsStatus.Invalid, null, "the policy is not UTF-8"), (await FetchAsync(host)).Fetch);
    }

    [Theory]
    [InlineData(64 * 1024, StsStatus.Valid)]
    [InlineData((64 * 1024) + 1, StsStatus.FetchError)]
    public async Task Sixty_four_kilobytes_are_read(int length, StsStatus status)
    {
        var text = Policy + "future: " + new string('x', length - Policy.Length - "future: \n".Length) + "\n";
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(text));

        Assert.Equal(status, (await FetchAsync(host)).Fetch.Status);
    }

    [Fact]
    public async Task A_certificate_whose_common_name_alone_is_right_is_for_other_names()
    {
        using var commonName = TestCertificates.Create([Host], selfSigned: false, alternatives: ["www.example.test"]);
        await using var host = new FakePolicyHost(commonName, FakePolicyHost.Ok(Policy));

        var fetch = (await FetchAsync(host)).Fetch;

        Assert.Equal((StsStatus.WebPkiInvalid, $"{Host}: the certificate is for other names"), (fetch.Status, fetch.Detail));
    }

    [Fact]
    public async Task A_certificate_without_alternative_names_is_for_no_name()
    {
        using var commonName = TestCertificates.Create([Host], selfSigned: false, alternatives: []);
        await using var host = new FakePolicyHost(commonName, FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.WebPkiInvalid, (await FetchAsync(host)).Fetch.Status);
    }

    [Fact]
    public async Task A_wildcard_certificate_is_for_the_host()
    {
        using var wildcard = TestCertificates.Issued("*.example.test");
        await using var host = new FakePolicyHost(wildcard, FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.Valid, (await FetchAsync(host)).Fetch.Status);
    }

    [Theory]
    [InlineData("self-signed", "the certificate is not trusted")]
    [InlineData("expired", "the certificate, or one above it, is not valid now")]
    [InlineData("other name", "the certificate is for other names")]
    public async Task A_certificate_that_the_WebPKI_refuses_has_its_own_result_type(string kind, string detail)
    {
        using var certificate = kind switch
        {
            "self-signed" => TestCertificates.SelfSigned(Host),
            "expired" => TestCertificates.Create([Host], selfSigned: false, notAfter: TestCertificates.Now.AddDays(-1)),
            _ => TestCertificates.Issued("www.example.test"),
        };
        await using var host = new FakePolicyHost(certificate, FakePolicyHost.Ok(Policy));

        var fetch = (await FetchAsync(host)).Fetch;

        Assert.Equal((StsStatus.WebPkiInvalid, $"{Host}: {detail}"), (fetch.Status, fetch.Detail));
        Assert.Equal("sts-webpki-invalid", fetch.Status.Name());
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task A_server_that_speaks_no_TLS_of_our_time_is_not_asked()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy)) { Speaks = FakePolicyHost.PlainText };

        Assert.Equal(StsStatus.FetchError, (await FetchAsync(host)).Fetch.Status);
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task TLS_1_2_is_enough()
    {
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy)) { Speaks = SslProtocols.Tls12 };

        Assert.Equal(StsStatus.Valid, (await FetchAsync(host)).Fetch.Status);
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up_after_a_minute()
    {
        var arrived = new TaskCompletionSource();
        await using var host = new FakePolicyHost(Certificate, async (_, cancellation) =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
        });

        var fetching = FetchAsync(host);
        await arrived.Task;
        time.Advance(TimeSpan.FromSeconds(60));

        var fetch = (await fetching).Fetch;
        Assert.Equal((StsStatus.FetchError, $"{Host} did not answer within 60 s"), (fetch.Status, fetch.Detail));
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_after_a_minute_too()
    {
        var written = new TaskCompletionSource();
        await using var host = new FakePolicyHost(Certificate, async (stream, cancellation) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nversion: STSv1\n"), cancellation);
            written.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
        });

        var fetching = FetchAsync(host);
        await written.Task;
        time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(StsStatus.FetchError, (await fetching).Fetch.Status);
    }

    [Theory]
    [InlineData(new byte[] { 10, 0, 0, 1 })]
    [InlineData(new byte[] { 127, 0, 0, 1 })]
    [InlineData(new byte[] { 169, 254, 1, 1 })]
    public async Task A_private_address_is_not_asked(byte[] address)
    {
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { Records = [(Host, FakeDnsServer.A, address)] });
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        var fetch = (await FetchAsync(host, privateAddresses: false)).Fetch;

        Assert.Equal((StsStatus.FetchError, $"{Host}: {new IPAddress(address)} is a loopback, private or link-local address"), (fetch.Status, fetch.Detail));
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task An_address_that_refuses_leaves_the_fetch_to_the_next()
    {
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply
        {
            Records = [(Host, FakeDnsServer.A, [127, 0, 0, 77]), (Host, FakeDnsServer.A, [127, 0, 0, 1])],
        });
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.Valid, (await FetchAsync(host)).Fetch.Status);
    }

    [Fact]
    public async Task A_family_that_cannot_be_looked_up_leaves_the_other()
    {
        dns.Set(Host, FakeDnsServer.Aaaa, new FakeDnsReply { Code = 2 });
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        Assert.Equal(StsStatus.Valid, (await FetchAsync(host)).Fetch.Status);
    }

    [Theory]
    [InlineData(2, "SERVFAIL")]
    [InlineData(0, "has no address")]
    public async Task A_host_without_an_address_is_not_fetched_from(int code, string detail)
    {
        dns.Set(Host, FakeDnsServer.A, new FakeDnsReply { Code = code });
        await using var host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));

        var fetch = (await FetchAsync(host)).Fetch;

        Assert.Equal(StsStatus.FetchError, fetch.Status);
        Assert.Contains(detail, fetch.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Four_fetches_at_one_address_are_under_way_at_once_and_the_others_wait()
    {
        var release = new TaskCompletionSource();
        var arrived = new SemaphoreSlim(0);
        await using var host = new FakePolicyHost(TestCertificates.Issued("*.example.test"), async (stream, cancellation) =>
        {
            arrived.Release();
            await release.Task.WaitAsync(cancellation);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(FakePolicyHost.Ok(Policy)), cancellation);
        });

        using var fetcher = Fetcher(host.Port, privateAddresses: true);
        var fetching = Enumerable.Range(0, 9).Select(_ => fetcher.FetchAsync("example.test", Cancellation)).ToList();
        for (var i = 0; i < 4; i++)
            Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        Assert.Equal(4, host.Requests.Count);
        release.SetResult();

        Assert.All(await Task.WhenAll(fetching), fetched => Assert.Equal(StsStatus.Valid, fetched.Fetch.Status));
        Assert.Equal(9, host.Requests.Count);
    }

    [Fact]
    public async Task Who_waits_for_a_place_may_give_up()
    {
        var arrived = new SemaphoreSlim(0);
        await using var host = new FakePolicyHost(Certificate, async (_, cancellation) =>
        {
            arrived.Release();
            await Task.Delay(Timeout.Infinite, cancellation);
        });
        using var fetcher = Fetcher(host.Port, privateAddresses: true);
        using var patience = new CancellationTokenSource();
        var fetching = Enumerable.Range(0, 9).Select(_ => fetcher.FetchAsync("example.test", patience.Token)).ToList();
        for (var i = 0; i < 4; i++)
            Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));

        await patience.CancelAsync();

        foreach (var fetch in fetching)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
    }

    private PolicyFetcher Fetcher(int port, bool privateAddresses) => new(
        source, new StsOptions { Port = port, PrivateAddresses = privateAddresses, Roots = [TestCertificates.Root] }, time);

    private async Task<FetchedPolicy> FetchAsync(FakePolicyHost host, bool privateAddresses = true)
    {
        using var fetcher = Fetcher(host.Port, privateAddresses);
        return await fetcher.FetchAsync("example.test", Cancellation);
    }
}
