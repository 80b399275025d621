using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>A /dev/log: keeps what programs write to it, as syslogd(8) would. Lasts as long as the test process.</summary>
internal sealed class SyslogSocket
{
    private readonly List<string> _lines = [];

    public SyslogSocket(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        // Programs that gave their rights up write to it, too.
        File.SetUnixFileMode(path, (UnixFileMode)0b110_110_110);
        _ = ReceiveAsync(socket);
    }

    /// <summary>Every message so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        var buffer = new byte[65536];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer);
            lock (_lines) _lines.Add(Encoding.UTF8.GetString(buffer, 0, count).TrimEnd('\n', '\0'));
        }
    }
}
