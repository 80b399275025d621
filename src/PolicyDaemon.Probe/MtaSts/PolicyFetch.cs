using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Smtp;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>One GET of a policy, bounded in time and size.</summary>
/// <remarks>
/// <code>
/// GET https://mta-sts.example.com/.well-known/mta-sts.txt
/// </code>
/// A certificate that the WebPKI accepts for the policy host, status 200, text/plain; no redirect is followed (RFC 8461 section
/// 3.3). No proxy, no cookies, no decompression, no downloads of certificates: whoever writes a zone chooses the server.
/// </remarks>
internal sealed class PolicyFetch(DnsLookup lookup, StsOptions options, TimeProvider time)
{
    private const int MaxBody = 64 * 1024; // RFC 8461 section 3.3: "a reasonable size limit", such as 64 kilobytes
    private const int MaxHeadersKilobytes = 16;
    private const int MaxAddresses = 4;

    public async Task<StsDiscovery> RunAsync(string domain, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var certificate = SslPolicyErrors.None;
        using var handler = Handler(errors => certificate = errors);
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        var port = options.Port == StsOptions.HttpsPort ? "" : $":{options.Port}";
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://mta-sts.{domain}{port}/.well-known/mta-sts.txt");
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return await ReadAsync(response, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed($"mta-sts.{domain} did not answer within {options.Timeout.TotalSeconds:F0} s");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException)
        {
            cancellation.ThrowIfCancellationRequested();
            return certificate == SslPolicyErrors.None
                ? Failed($"mta-sts.{domain}: {PeerText.Escape(Innermost(fault).Message)}")
                : new StsDiscovery(StsStatus.WebPkiInvalid, Detail: $"mta-sts.{domain}: {Words(certificate)}");
        }
    }

    private SocketsHttpHandler Handler(Action<SslPolicyErrors> judged) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        // AutomaticDecompression stays unmentioned: it is off, and even setting it to None links zlib and brotli into the program.
        MaxResponseHeadersLength = MaxHeadersKilobytes,
        ConnectCallback = async (context, cancellation) => await ConnectAsync(context.DnsEndPoint, cancellation),
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = ChainPolicy(),
            RemoteCertificateValidationCallback = (_, _, _, errors) =>
            {
                judged(errors);
                return errors == SslPolicyErrors.None;
            },
        },
    };

    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTimeIgnored = false,
            VerificationTime = time.GetUtcNow().UtcDateTime,
        };
        if (options.Roots is { } roots)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint host, CancellationToken cancellation)
    {
        var addresses = new List<IPAddress>();
        foreach (var type in new[] { DnsType.A, DnsType.Aaaa })
        {
            var answer = await lookup.AskAsync(new DnsQuestion(host.Host, type), cancellation);
            if (!answer.Worked)
                throw new IOException(answer.Detail);
            addresses.AddRange(answer.Data.Select(text => IPAddress.Parse(text)));
        }

        if (addresses.Count == 0)
            throw new IOException("it has no address");
        var allowed = addresses.Where(address => options.PrivateAddresses || AddressRules.IsPublic(address)).Take(MaxAddresses).ToList();
        if (allowed.Count == 0)
            throw new IOException($"{addresses[0]} is a loopback, private or link-local address");
        Exception? last = null;
        foreach (var address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, host.Port), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException fault)
            {
                socket.Dispose();
                last = fault;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new IOException(last!.Message, last);
    }

    private static async Task<StsDiscovery> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
            return Failed($"status {status}: redirects are not followed (RFC 8461 section 3.3)");
        if (status != 200)
            return Failed($"status {status} instead of 200");
        if (response.Content.Headers.ContentType?.MediaType is not { } media)
            return Failed("the policy is served without a Content-Type, which must be text/plain");
        // A page that says "not found" with status 200 is the usual case: nothing was retrieved, and no policy is wrong.
        if (!string.Equals(media, "text/plain", StringComparison.OrdinalIgnoreCase))
            return Failed($"the policy is served as {PeerText.Escape(media)}, not as text/plain");

        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var body = new byte[MaxBody + 1];
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation);
        if (length > MaxBody)
            return Failed($"the policy is longer than {MaxBody / 1024} KiB");
        return StsPolicy.TryParse(body.AsSpan(0, length), out var policy, out var reason)
            ? new StsDiscovery(StsStatus.Valid, Policy: policy)
            : Invalid(reason);
    }

    private static StsDiscovery Failed(string detail) => new(StsStatus.FetchError, Detail: detail);

    private static StsDiscovery Invalid(string detail) => new(StsStatus.Invalid, Detail: detail);

    private static string Words(SslPolicyErrors errors) =>
        (errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0 ? "the certificate is for other names"
        : (errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0 ? "it presents no certificate"
        : "the certificate is not trusted, or not valid now";

    private static Exception Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
            fault = inner;
        return fault;
    }
}
