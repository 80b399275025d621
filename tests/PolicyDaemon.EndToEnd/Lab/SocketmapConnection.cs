using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A connection as a Postfix process holds it, socketmap_table(5): one netstring asked, one answered, in turn.</summary>
public sealed class SocketmapConnection : IDisposable
{
    private readonly Socket _socket;

    private SocketmapConnection(Socket socket) => _socket = socket;

    /// <summary>Connects to a unix socket, which is reached from any network namespace.</summary>
    /// <exception cref="SocketException">Nobody listens, or nobody accepts any more.</exception>
    public static async Task<SocketmapConnection> OpenAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
            return new SocketmapConnection(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks one question.</summary>
    /// <returns>The reply's payload; null where the other side ended the connection.</returns>
    public async Task<string?> AskAsync(string map, string key)
    {
        var request = Encoding.UTF8.GetBytes($"{map} {key}");
        await SendAsync([.. Encoding.ASCII.GetBytes($"{request.Length}:"), .. request, (byte)',']);
        return await ReceiveAsync();
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(byte[] bytes) => await _socket.SendAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>Says that nothing more will be sent, and still listens.</summary>
    public void EndOfRequests() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Awaits one reply.</summary>
    /// <returns>Its payload; null where the other side ended the connection.</returns>
    public async Task<string?> ReceiveAsync()
    {
        var received = new byte[4096];
        var length = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Until.Deadline);
        try
        {
            while (true)
            {
                var count = await _socket.ReceiveAsync(received.AsMemory(length), limit.Token);
                if (count == 0) return null;
                length += count;
                var colon = received.AsSpan(0, length).IndexOf((byte)':');
                if (colon > 0 && Utf8Parser.TryParse(received.AsSpan(0, colon), out int payload, out _) && length >= colon + payload + 2)
                    return Encoding.UTF8.GetString(received, colon + 1, payload);
                if (length == received.Length) Array.Resize(ref received, 2 * length);
                Assert.True(length < 200_000, "policyd sent more than a socketmap reply may have");
            }
        }
        catch (SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no reply and no end of the connection within {Until.Deadline.TotalSeconds:F0} s");
        }
    }

    public void Dispose() => _socket.Dispose();
}
