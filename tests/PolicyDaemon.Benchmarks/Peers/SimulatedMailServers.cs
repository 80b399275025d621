using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>A mail server with STARTTLS on port 25 of every address in 127.0.0.0/8. Notes who was connected to, and when.</summary>
internal sealed class SimulatedMailServers : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SslStreamCertificateContext certificate;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly ConcurrentQueue<(IPAddress Address, TimeSpan At)> connections = new();
    private int open;

    internal SimulatedMailServers(TestAuthority authority)
    {
        certificate = SslStreamCertificateContext.Create(authority.Certificate, null, offline: true);
        listener.Bind(new IPEndPoint(IPAddress.Any, 25));
        listener.Listen(1024);
        _ = AcceptAsync();
    }

    internal int Open => Volatile.Read(ref open);

    /// <summary>All connections since the last call, in their order.</summary>
    internal IReadOnlyList<(IPAddress Address, TimeSpan At)> Take()
    {
        var taken = new List<(IPAddress, TimeSpan)>();
        while (connections.TryDequeue(out var one))
            taken.Add(one);
        return taken;
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync();
                connections.Enqueue((((IPEndPoint)socket.LocalEndPoint!).Address, clock.Elapsed));
                _ = ServeAsync(socket);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Interlocked.Increment(ref open);
        try
        {
            socket.NoDelay = true;
            await using var plain = new NetworkStream(socket, ownsSocket: true);
            await SayAsync(plain, "220 mx.hosts.example ESMTP\r\n");
            if (!await TalkAsync(plain, "250-mx.hosts.example\r\n250 STARTTLS\r\n"))
                return;
            await SayAsync(plain, "220 go ahead\r\n");
            await using var tls = new SslStream(plain);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate, AllowTlsResume = false });
            await TalkAsync(tls, "250 mx.hosts.example\r\n");
        }
        catch (Exception lost) when (lost is IOException or AuthenticationException or SocketException)
        {
            // A client that asks for another key algorithm, or leaves, is as good as any.
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    /// <returns>True at STARTTLS, false at QUIT or the end.</returns>
    private static async Task<bool> TalkAsync(Stream stream, string ehlo)
    {
        var buffer = new byte[1024];
        var held = 0;
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(held));
            if (count == 0)
                return false;
            held += count;
            if (buffer[held - 1] != '\n')
                continue;
            var line = Encoding.ASCII.GetString(buffer, 0, held).ToUpperInvariant();
            held = 0;
            if (line.StartsWith("STARTTLS", StringComparison.Ordinal))
                return true;
            await SayAsync(stream, line[..4] switch { "EHLO" => ehlo, "QUIT" => "221 bye\r\n", _ => "250 ok\r\n" });
            if (line.StartsWith("QUIT", StringComparison.Ordinal))
                return false;
        }
    }

    private static ValueTask SayAsync(Stream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text));
}
