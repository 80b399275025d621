using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>A DNS server on 127.0.0.1:53 where every domain has an MTA-STS record and its policy host is this machine.</summary>
internal sealed class PolicyDns : IDisposable
{
    private const ushort AddressType = 1;
    private const ushort TextType = 16;

    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    internal PolicyDns()
    {
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 53));
        _ = ServeAsync();
    }

    public void Dispose() => socket.Dispose();

    private async Task ServeAsync()
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                if (Answer(buffer.AsSpan(0, received.ReceivedBytes)) is { } answer)
                    await socket.SendToAsync(answer, received.RemoteEndPoint);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    /// <summary>RFC 1035 section 4: the header, the question as it came, one record or none.</summary>
    private static byte[]? Answer(ReadOnlySpan<byte> query)
    {
        var end = 12;
        while (end < query.Length && query[end] != 0)
            end += query[end] + 1;
        if (end + 5 > query.Length)
            return null;
        var first = Encoding.ASCII.GetString(query.Slice(13, query[12]));
        var type = BinaryPrimitives.ReadUInt16BigEndian(query[(end + 1)..]);
        byte[] data = (first, type) switch
        {
            ("_mta-sts", TextType) => [18, .. "v=STSv1; id=20261;"u8],
            ("mta-sts", AddressType) => [127, 0, 0, 1],
            _ => [],
        };

        var question = query[12..(end + 5)];
        var answer = new List<byte>([query[0], query[1], 0x85, 0x80, 0, 1, 0, (byte)(data.Length > 0 ? 1 : 0), 0, 0, 0, 0]);
        answer.AddRange(question);
        if (data.Length > 0)
            answer.AddRange([0xc0, 12, (byte)(type >> 8), (byte)type, 0, 1, 0, 0, 0x0e, 0x10, 0, (byte)data.Length, .. data]);
        return [.. answer];
    }
}
