using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Unicode;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Smtp;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>Fetches policies of MTA-STS.</summary>
/// <remarks>
/// <code>
/// GET https://mta-sts.example.com/.well-known/mta-sts.txt
///
/// TLS        1.2 or later; the certificate is for the policy host by a subject alternative name, not by its common name, and leads
///            to the system's roots or those of ca_file
/// answer     status 200, text/plain, at most 64 KiB, UTF-8; no redirect is followed (RFC 8461 section 3.3)
/// in all     60 s once a connection is tried; 16 fetches at once, 4 at one address
/// </code>
/// No proxy, no cookies, no decompression, no downloads of certificates or revocation lists: whoever writes a zone chooses the server,
/// and no address of our own networks unless private_addresses says so.
/// </remarks>
public sealed class PolicyFetcher : IDisposable
{
    private const int MaxBody = 64 * 1024; // RFC 8461 section 3.3: "a reasonable size limit", such as 64 kilobytes
    private const int MaxHeadersKilobytes = 16;
    private const int MaxAddresses = 4;
    private const int MaxFetches = 16;
    private const int MaxFetchesPerAddress = 4;

    private readonly DnsResolvers dns;
    private readonly StsOptions options;
    private readonly TimeProvider time;
    private readonly FetchGate gate = new(MaxFetches, MaxFetchesPerAddress);

    public PolicyFetcher(DnsResolvers dns, StsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(dns);
        ArgumentNullException.ThrowIfNull(options);
        this.dns = dns;
        this.options = options;
        this.time = time;
    }

    public void Dispose() => gate.Dispose();

    /// <summary>A failure is a <see cref="StsFetch.Status"/>; only the caller's cancellation throws.</summary>
    public async Task<FetchedPolicy> FetchAsync(string domain, CancellationToken cancellation)
    {
        var host = $"mta-sts.{domain}";
        // Nothing rests on DNSSEC here: the certificate says whose policy it is.
        DnsAnswer[] answers = await Task.WhenAll(
            dns.Shared.AskAsync(new DnsQuestion(host, DnsType.A), isTrusted: false, options.OldestAnswer, cancellation),
            dns.Shared.AskAsync(new DnsQuestion(host, DnsType.Aaaa), isTrusted: false, options.OldestAnswer, cancellation));
        var at = time.GetUtcNow();
        var addresses = answers.SelectMany(answer => answer.Data).Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>().ToList();
        if (addresses.Count == 0)
        {
            var failed = Array.Find(answers, answer => !answer.Worked);
            return new FetchedPolicy(Failed(at, failed?.Detail ?? $"{host} has no address"), [.. answers]);
        }

        var allowed = addresses.Where(address => options.PrivateAddresses || AddressRules.IsPublic(address)).Take(MaxAddresses).ToList();
        if (allowed.Count == 0)
            return new FetchedPolicy(Failed(at, $"{host}: {addresses[0]} is a loopback, private or link-local address"), [.. answers]);

        long? began = null;
        Exception? last = null;
        foreach (var address in allowed)
        {
            using var place = await gate.EnterAsync(address, cancellation);
            began ??= time.GetTimestamp();
            using var deadline = new CancellationTokenSource(Left(began.Value), time);
            try
            {
                await using var connection = await ConnectAsync(address, deadline.Token, cancellation);
                return new FetchedPolicy(await GetAsync(host, at, connection, deadline.Token, cancellation), [.. answers]);
            }
            catch (Exception fault) when (fault is SocketException or TimeoutException)
            {
                last = fault;
            }

            if (deadline.IsCancellationRequested)
                break;
        }

        return new FetchedPolicy(Failed(at, $"{host}: {last!.Message}"), [.. answers]);
    }

    private TimeSpan Left(long began) => options.Timeout - time.GetElapsedTime(began) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private async Task<Stream> ConnectAsync(IPAddress address, CancellationToken all, CancellationToken caller)
    {
        using var deadline = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, all, caller);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, options.Port), either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no connection to {address} within {Seconds(all.IsCancellationRequested ? options.Timeout : options.ConnectTimeout)}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<StsFetch> GetAsync(string host, DateTimeOffset at, Stream connection, CancellationToken deadline, CancellationToken caller)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, caller);
        string? certificate = null;
        Stream? unused = connection;
        using var handler = Handler(
            host,
            // HttpClient asks again where the server closed the connection without a word; once is enough.
            () => Interlocked.Exchange(ref unused, null) ?? throw new IOException("the connection was closed without an answer"),
            problem => certificate = problem);
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        var port = options.Port == StsOptions.HttpsPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{options.Port}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{host}{port}/.well-known/mta-sts.txt");
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return await ReadAsync(response, host, at, either.Token);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            return Failed(at, $"{host} did not answer within {Seconds(options.Timeout)}");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException or AuthenticationException)
        {
            caller.ThrowIfCancellationRequested();
            return certificate is null
                ? Failed(at, $"{host}: {PeerText.Escape(Innermost(fault).Message)}")
                : new StsFetch(at, StsStatus.WebPkiInvalid, null, $"{host}: {certificate}");
        }
    }

    private SocketsHttpHandler Handler(string host, Func<Stream> connect, Action<string> refused) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        // AutomaticDecompression stays unmentioned: it is off, and even setting it to None links zlib and brotli into the program.
        MaxResponseHeadersLength = MaxHeadersKilobytes,
        ConnectCallback = (_, _) => ValueTask.FromResult(connect()),
        SslOptions = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            // RFC 8461 section 3.3 wants a server of our time; the system's lowest version may be older.
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = ChainPolicy(),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                var problem = CertificateProblem(host, certificate as X509Certificate2, chain, errors);
                if (problem is not null)
                    refused(problem);
                return problem is null;
            },
        },
    };

    // Names are compared here: the platform would fall back to the common name where there is no alternative one (RFC 8461 section
    // 3.3 wants a DNS-ID, RFC 9525 section 2).
    private static string? CertificateProblem(string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return "it presents no certificate";
        if (!certificate.MatchesHostname(host, allowWildcards: true, allowCommonName: false))
            return "the certificate is for other names";
        if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None)
            return null;
        return chain is not null && chain.ChainStatus.Any(status => status.Status == X509ChainStatusFlags.NotTimeValid)
            ? "the certificate, or one above it, is not valid now"
            : "the certificate is not trusted";
    }

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

    private static async Task<StsFetch> ReadAsync(HttpResponseMessage response, string host, DateTimeOffset at, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
            return Failed(at, $"{host} answers with status {status}: redirects are not followed (RFC 8461 section 3.3)");
        if (status != 200)
            return Failed(at, $"{host} answers with status {status} instead of 200");
        if (response.Content.Headers.ContentType?.MediaType is not { } media)
            return Failed(at, $"{host} serves the policy without a Content-Type, which must be text/plain");
        // A page that says "not found" with status 200 is the usual case: nothing was retrieved, and no policy is wrong.
        if (!string.Equals(media, "text/plain", StringComparison.OrdinalIgnoreCase))
            return Failed(at, $"{host} serves the policy as {PeerText.Escape(media)}, not as text/plain");
        if (response.Content.Headers.ContentEncoding.Count > 0)
            return Failed(at, $"{host} serves the policy encoded as {PeerText.Escape(string.Join(", ", response.Content.Headers.ContentEncoding))}, which nobody asked for");

        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var body = new byte[MaxBody + 1];
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation);
        if (length > MaxBody)
            return Failed(at, $"{host} serves a policy that is longer than {MaxBody / 1024} KiB");
        return Utf8.IsValid(body.AsSpan(0, length))
            ? StsFetch.Served(at, Encoding.UTF8.GetString(body, 0, length))
            : new StsFetch(at, StsStatus.Invalid, null, "the policy is not UTF-8");
    }

    private static StsFetch Failed(DateTimeOffset at, string detail) => new(at, StsStatus.FetchError, null, detail);

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");

    private static Exception Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
            fault = inner;
        return fault;
    }
}

/// <param name="Fetch">What came of it.</param>
/// <param name="Answers">What DNS said of the policy host.</param>
public sealed record FetchedPolicy(StsFetch Fetch, ImmutableArray<DnsAnswer> Answers);
