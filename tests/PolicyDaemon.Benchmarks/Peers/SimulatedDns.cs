using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>A DNS server on 127.0.0.1:53, over UDP, whose zone is a function. Names it has nothing for exist and are empty: with the
/// SOA record that says for how long (RFC 2308 section 3), as any server does.</summary>
internal sealed class SimulatedDns : IDisposable
{
    internal const ushort AddressType = 1;
    internal const ushort MailType = 15;
    internal const ushort TextType = 16;

    // RFC 1035 section 3.3.13: two names, here the root, and five numbers, of which the last is the life of an absence: an hour.
    private static readonly byte[] Authority =
        [0, 0, 6, 0, 1, 0, 0, 0x0e, 0x10, 0, 22, 0, 0, 0, 0, 0, 1, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10];

    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
    private readonly Func<string, ushort, byte[]?> zone;
    private long queries;

    /// <param name="zone">The data of the one record of a name and type; null where there is none. Names are in lower case, without the last dot.</param>
    internal SimulatedDns(Func<string, ushort, byte[]?> zone)
    {
        this.zone = zone;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 53));
        _ = Task.Factory.StartNew(Serve, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How long a name's answers take; none by default.</summary>
    internal Func<string, TimeSpan> Delay { get; init; } = _ => TimeSpan.Zero;

    /// <summary>The one name that is DNSSEC-secure; none by default.</summary>
    internal string? SecureName { get; init; }

    internal long Questions => Interlocked.Read(ref queries);

    /// <summary>RFC 1035 section 3.3.9: a preference and a name.</summary>
    internal static byte[] Mail(string host) =>
        [0, 10, .. host.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];

    public void Dispose() => socket.Dispose();

    private void Serve()
    {
        var buffer = new byte[1500];
        var peer = new SocketAddress(AddressFamily.InterNetwork);
        try
        {
            while (true)
            {
                var count = socket.ReceiveFrom(buffer, SocketFlags.None, peer);
                Interlocked.Increment(ref queries);
                if (Answer(buffer.AsSpan(0, count), out var name) is not { } answer)
                    continue;
                if (Delay(name) is var delay && delay > TimeSpan.Zero)
                    _ = SendLaterAsync(answer, Copy(peer), delay);
                else
                    socket.SendTo(answer, SocketFlags.None, peer);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task SendLaterAsync(byte[] answer, SocketAddress peer, TimeSpan delay)
    {
        await Task.Delay(delay, TimeProvider.System);
        try
        {
            socket.SendTo(answer, SocketFlags.None, peer);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private static SocketAddress Copy(SocketAddress peer)
    {
        var copy = new SocketAddress(peer.Family, peer.Size);
        peer.Buffer.CopyTo(copy.Buffer);
        return copy;
    }

    /// <summary>RFC 1035 section 4: the header, the question as it came, one record or none.</summary>
    private byte[]? Answer(ReadOnlySpan<byte> query, out string asked)
    {
        asked = "";
        var name = new StringBuilder();
        var end = 12;
        while (end < query.Length && query[end] != 0 && end + 1 + query[end] <= query.Length)
        {
            name.Append(name.Length == 0 ? "" : ".").Append(Encoding.ASCII.GetString(query.Slice(end + 1, query[end])).ToLowerInvariant());
            end += query[end] + 1;
        }

        if (end + 5 > query.Length)
            return null;
        var type = BinaryPrimitives.ReadUInt16BigEndian(query[(end + 1)..]);
        asked = name.ToString();
        var data = zone(asked, type);
        var answer = new List<byte>([query[0], query[1], 0x85, asked == SecureName ? (byte)0xa0 : (byte)0x80, 0, 1, 0, (byte)(data is null ? 0 : 1), 0, (byte)(data is null ? 1 : 0), 0, 0]);
        answer.AddRange(query[12..(end + 5)]);
        if (data is null)
            answer.AddRange(Authority);
        else
            answer.AddRange([0xc0, 12, (byte)(type >> 8), (byte)type, 0, 1, 0, 0, 0x0e, 0x10, (byte)(data.Length >> 8), (byte)data.Length, .. data]);
        return [.. answer];
    }
}
