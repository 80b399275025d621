using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PolicyDaemon.Tests.Support;

/// <summary>One connection to a <see cref="FakeSmtpServer"/>, with the steps that scripts are made of.</summary>
internal sealed class FakeSmtpConnection(TcpClient client, FakeSmtpServer server, CancellationToken stop) : IAsyncDisposable
{
    /// <summary>Called when the client says that it leaves.</summary>
    public Action Left { get; set; } = () => { };

    private Stream stream = client.GetStream();

    public CancellationToken Stop => stop;

    /// <summary>What a well-behaved server does, with this certificate.</summary>
    public static Func<FakeSmtpConnection, Task> Polite(X509Certificate2 certificate) => Polite(() => certificate);

    /// <summary>The same; the certificate is asked for at each handshake.</summary>
    public static Func<FakeSmtpConnection, Task> Polite(
        Func<X509Certificate2> certificate, SslProtocols versions = SslProtocols.Tls12 | SslProtocols.Tls13,
        Action<SslServerAuthenticationOptions>? change = null) => async connection =>
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n");
        await connection.HandshakeAsync(certificate, versions, change);
        while (await connection.ReadCommandAsync() is { } command)
        {
            if (command.StartsWith("QUIT", StringComparison.Ordinal))
                connection.Left();
            await connection.SendAsync(command.StartsWith("QUIT", StringComparison.Ordinal) ? "221 bye\r\n" : "250 mx.example\r\n");
            if (command.StartsWith("QUIT", StringComparison.Ordinal))
                return;
        }
    };

    /// <summary>Greeting, EHLO and the STARTTLS command, which is left unanswered.</summary>
    public async Task UpToStartTlsAsync()
    {
        await SendAsync("220 mx.example ESMTP\r\n");
        await ReadCommandAsync();
        await SendAsync("250-mx.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n");
        await ReadCommandAsync();
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] octets)
    {
        await stream.WriteAsync(octets, stop);
        await stream.FlushAsync(stop);
    }

    /// <summary>One line; null where the client has gone.</summary>
    public async Task<string?> ReadCommandAsync()
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (await stream.ReadAsync(octet, stop) == 1)
        {
            if (octet[0] == '\n')
            {
                server.Commands.Enqueue(line.ToString().TrimEnd('\r'));
                return line.ToString();
            }

            line.Append((char)octet[0]);
        }

        return null;
    }

    public async Task ReadOctetAsync() => await stream.ReadExactlyAsync(new byte[1], stop);

    /// <param name="certificate">The server's certificate.</param>
    /// <param name="versions">The versions of TLS that it speaks.</param>
    /// <param name="change">What else is unusual about it.</param>
    public async Task HandshakeAsync(
        Func<X509Certificate2> certificate, SslProtocols versions, Action<SslServerAuthenticationOptions>? change = null)
    {
        var secure = new SslStream(stream);
        stream = secure;
        await secure.AuthenticateAsServerAsync(
            (_, hello, _, _) =>
            {
                server.ServerNames.Enqueue(hello.ServerName);
                var options = new SslServerAuthenticationOptions
                {
                    // Offline: the server's side would download the issuer that a certificate names.
                    ServerCertificateContext = SslStreamCertificateContext.Create(certificate(), null, offline: true),
                    EnabledSslProtocols = versions,
                };
                change?.Invoke(options);
                return ValueTask.FromResult(options);
            },
            null, stop);
    }

    /// <summary>Says nothing more and keeps the line open.</summary>
    public Task HangAsync() => Task.Delay(Timeout.Infinite, stop);

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        client.Dispose();
    }
}
