using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>One connection to a <see cref="ScriptedServer"/>: the steps that scripts are made of.</summary>
public sealed class ScriptedConnection : IAsyncDisposable
{
    private const int LongestLine = 10_000;

    private readonly ScriptedServer _server;
    private Stream _stream;

    internal ScriptedConnection(Socket socket, ScriptedServer server, CancellationToken stop)
    {
        socket.NoDelay = true;
        _server = server;
        _stream = new NetworkStream(socket, ownsSocket: true);
        Stop = stop;
    }

    /// <summary>The server is being stopped.</summary>
    public CancellationToken Stop { get; }

    public async Task SendAsync(string text)
    {
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), Stop);
        await _stream.FlushAsync(Stop);
    }

    /// <summary>One line without its end; null where the client has gone.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (line.Length < LongestLine && await _stream.ReadAsync(octet, Stop) == 1)
        {
            if (octet[0] != '\n')
            {
                line.Append((char)octet[0]);
                continue;
            }

            var text = line.ToString().TrimEnd('\r');
            _server.Commands.Enqueue(text);
            return text;
        }

        return null;
    }

    /// <summary>So many octets, as UTF-8.</summary>
    public async Task<string> ReadAsync(int length)
    {
        var octets = new byte[length];
        await _stream.ReadExactlyAsync(octets, Stop);
        return Encoding.UTF8.GetString(octets);
    }

    /// <summary>Greets, answers EHLO with STARTTLS and reads that command, which is left unanswered.</summary>
    public async Task UpToStartTlsAsync()
    {
        await SendAsync("220 scripted.test ESMTP\r\n");
        await ReadLineAsync();
        await SendAsync("250-scripted.test\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n");
        await ReadLineAsync();
    }

    public async Task HandshakeAsync(LabCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var secure = new SslStream(_stream);
        _stream = secure;
        await secure.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Context, AllowTlsResume = false }, Stop);
    }

    /// <summary>Says nothing more and keeps the line open until the client goes.</summary>
    public async Task HangAsync()
    {
        while (await ReadLineAsync() is not null)
        {
            // Not even an answer.
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stream.DisposeAsync();
        }
        catch (Exception gone) when (gone is IOException or SocketException)
        {
            // The client was quicker.
        }
    }
}
