using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// A web server for policies of MTA-STS (RFC 8461 section 3.3) at a loopback address of the sending side. Which policy it has for a
/// domain, and how it misbehaves, is set for each domain and counts from the next request on.
/// </summary>
public sealed class PolicyHost : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly LabCertificates _certificates;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ServedPolicy> _policies = new();
    private readonly ConcurrentDictionary<string, LabCertificate> _shown = new();
    private readonly ConcurrentDictionary<Task, byte> _conversations = new();
    private readonly Task _loop;

    /// <param name="sandbox">Where it runs.</param>
    /// <param name="address">A loopback address at which nobody listens on port 443.</param>
    /// <param name="certificates">Who issues its certificates.</param>
    public PolicyHost(Sandbox sandbox, IPAddress address, LabCertificates certificates)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        _certificates = certificates;
        Address = address;
        _listener = sandbox.BindOnSender(new IPEndPoint(address, 443), ProtocolType.Tcp);
        _loop = AcceptAsync();
    }

    public IPAddress Address { get; }

    /// <summary>Serves this for a domain from now on.</summary>
    public void Serve(string domain, ServedPolicy policy) => _policies["mta-sts." + domain] = policy;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        await Task.WhenAll(_conversations.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var conversation = ServeAsync(await _listener.AcceptAsync(_stop.Token));
                _conversations.TryAdd(conversation, 0);
                _ = conversation.ContinueWith(
                    (ended, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(ended, out _), _conversations,
                    CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync((_, hello, _, _) => ValueTask.FromResult(Options(hello.ServerName)), null, _stop.Token);
            using var reader = new StreamReader(tls, Encoding.Latin1, leaveOpen: true);
            var name = "";
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
            {
                if (line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)) name = line[5..].Trim();
            }

            var policy = _policies.GetValueOrDefault(name) ?? new ServedPolicy("") { Status = "404 Not Found" };
            await policy.Held.WaitAsync(_stop.Token);
            var body = Encoding.UTF8.GetBytes(policy.Text);
            var head = $"HTTP/1.1 {policy.Status}\r\nContent-Type: {policy.ContentType}\r\nContent-Length: {body.Length}\r\n"
                + (policy.Location is null ? "" : $"Location: {policy.Location}\r\n") + "Connection: close\r\n\r\n";
            await tls.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], _stop.Token);
            await tls.ShutdownAsync();
        }
        catch (Exception lost) when (lost is IOException or AuthenticationException or SocketException or OperationCanceledException)
        {
            // The client went away, or did not like the certificate: part of the story.
        }
    }

    private SslServerAuthenticationOptions Options(string name)
    {
        var shown = _policies.GetValueOrDefault(name)?.CertificateName ?? name;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _shown.GetOrAdd(shown, _ => _certificates.Issued(shown)).Context,
            AllowTlsResume = false,
        };
    }
}

/// <summary>What a <see cref="PolicyHost"/> serves for a domain, and how.</summary>
/// <param name="Text">The policy.</param>
public sealed record ServedPolicy(string Text)
{
    public string Status { get; init; } = "200 OK";

    public string ContentType { get; init; } = "text/plain";

    /// <summary>Where a redirect leads; null: none.</summary>
    public string? Location { get; init; }

    /// <summary>The answer is held back until this ends.</summary>
    public Task Held { get; init; } = Task.CompletedTask;

    /// <summary>The name in the certificate; null: the policy host's.</summary>
    public string? CertificateName { get; init; }

    /// <summary>A policy of a week for these hosts.</summary>
    public static ServedPolicy Of(string mode, params IEnumerable<string> hosts) =>
        new($"version: STSv1\nmode: {mode}\nmax_age: 604800\n{string.Concat(hosts.Select(host => $"mx: {host}\n"))}");
}
