using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>Serves every domain's MTA-STS policy over HTTPS on 127.0.0.1:443. See RFC 8461 section 3.3.</summary>
internal sealed class PolicyHost : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 443);
    private readonly TestAuthority authority;

    internal PolicyHost(TestAuthority authority)
    {
        this.authority = authority;
        listener.Start();
        _ = AcceptAsync();
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(authority.Certificate);
            using var reader = new StreamReader(tls, Encoding.ASCII, leaveOpen: true);
            var name = "";
            while (await reader.ReadLineAsync() is { Length: > 0 } line)
            {
                if (line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))
                    name = line[5..].Trim();
            }

            var body = $"version: STSv1\r\nmode: enforce\r\nmx: mx1.{name["mta-sts.".Length..]}\r\nmax_age: 604800\r\n";
            await tls.WriteAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
            await tls.ShutdownAsync();
        }
        catch (Exception lost) when (lost is IOException or AuthenticationException or SocketException)
        {
            // The resolver asks again, or the section fails over its answer.
        }
    }
}
