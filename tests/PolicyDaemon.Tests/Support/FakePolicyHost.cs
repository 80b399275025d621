using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PolicyDaemon.Tests.Support;

/// <summary>A web server on loopback that answers every request over TLS with the same octets.</summary>
internal sealed class FakePolicyHost : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<Task> conversations = [];
    private readonly X509Certificate2 certificate;
    private readonly Func<Stream, CancellationToken, Task> answer;
    private readonly Task loop;

    public FakePolicyHost(X509Certificate2 certificate, Func<Stream, CancellationToken, Task> answer)
    {
        this.certificate = certificate;
        this.answer = answer;
        listener.Start();
        loop = AcceptAsync();
    }

    public FakePolicyHost(X509Certificate2 certificate, string response)
        : this(certificate, async (stream, cancellation) => await stream.WriteAsync(Encoding.ASCII.GetBytes(response), cancellation))
    {
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Which TLS it speaks; <see cref="PlainText"/>: none at all.</summary>
    public SslProtocols Speaks { get; init; }

    public const SslProtocols PlainText = (SslProtocols)1;

    /// <summary>The name in each client's hello.</summary>
    public ConcurrentQueue<string> ServerNames { get; } = new();

    /// <summary>The first line of every request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>A policy as it is served.</summary>
    public static string Ok(string body, string type = "text/plain") =>
        $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await loop;
        await Task.WhenAll(conversations);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                conversations.Add(ServeAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException
            or InvalidOperationException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var secure = new SslStream(client.GetStream());
                if (Speaks == PlainText)
                {
                    await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), stop.Token);
                    return;
                }

                await secure.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
                        EnabledSslProtocols = Speaks,
                    },
                    stop.Token);
                ServerNames.Enqueue(secure.TargetHostName);
                var request = new StringBuilder();
                var octets = new byte[1024];
                while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    var count = await secure.ReadAsync(octets, stop.Token);
                    if (count == 0)
                        return;
                    request.Append(Encoding.ASCII.GetString(octets, 0, count));
                }

                Requests.Enqueue(request.ToString().Split("\r\n")[0]);
                await answer(secure, stop.Token);
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or SocketException
            or AuthenticationException)
        {
            // The client refused the certificate, or had read enough.
        }
    }
}
