using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace PolicyDaemon.Tests.Support;

/// <summary>A resolver on loopback that says what a test wrote down, over UDP and TCP. DNSSEC status is test data.</summary>
internal sealed class FakeDnsServer : IAsyncDisposable
{
    public const int A = 1, CName = 5, Mx = 15, Aaaa = 28, Tlsa = 52;

    private const int ServFail = 2, NxDomain = 3;

    private readonly ConcurrentDictionary<(string Name, int Type), FakeDnsReply> replies = new();
    private readonly ConcurrentQueue<(string Name, int Type)> questions = new();
    private readonly ConcurrentBag<Task> late = [];
    private readonly SemaphoreSlim asked = new(0);
    private readonly CancellationTokenSource stop = new();
    private readonly Socket udp;
    private readonly TcpListener tcp;
    private readonly Task[] loops;

    public FakeDnsServer()
    {
        // The same port for both: TCP chooses, UDP follows.
        while (true)
        {
            tcp = new TcpListener(IPAddress.Loopback, 0);
            tcp.Start();
            udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                udp.Bind(tcp.LocalEndpoint);
                break;
            }
            catch (SocketException)
            {
                udp.Dispose();
                tcp.Stop();
            }
        }

        EndPoint = (IPEndPoint)tcp.LocalEndpoint;
        loops = [UdpAsync(), TcpAsync()];
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>AD on every reply, as a forwarder sets it that does not know what it says.</summary>
    public bool AlwaysAuthentic { get; set; }

    public IEnumerable<(string Name, int Type)> Questions => questions;

    /// <summary>Waits for a question that nobody has waited for yet; a reply that is held back is not ready by then.</summary>
    public async Task WhenAskedAsync(CancellationToken cancellation) =>
        Assert.True(await asked.WaitAsync(Until.Deadline, cancellation), "nothing was asked");

    public void Set(string name, int type, FakeDnsReply reply) => replies[(name.ToLowerInvariant(), type)] = reply;

    public FakeDnsReply? Find(string name, int type) => replies.GetValueOrDefault((name.ToLowerInvariant(), type));

    public void Add(string name, int type, byte[] data, bool authentic = false, string? owner = null)
    {
        var reply = replies.GetOrAdd((name.ToLowerInvariant(), type), _ => new FakeDnsReply());
        reply.Records.Add((owner ?? name, type, data));
        replies[(name.ToLowerInvariant(), type)] = reply with { Authentic = reply.Authentic || authentic };
    }

    public void AddMx(string name, int preference, string exchange, bool authentic = false) =>
        Add(name, Mx, [(byte)(preference >> 8), (byte)preference, .. WireName(exchange)], authentic);

    /// <summary>The host's addresses; the family it lacks is absent in the same DNSSEC status.</summary>
    public void AddHost(string name, bool authentic, params string[] addresses)
    {
        foreach (var type in new[] { A, Aaaa })
            replies.TryAdd((name, type), new FakeDnsReply { Authentic = authentic });
        foreach (var address in addresses.Select(IPAddress.Parse))
        {
            var type = address.AddressFamily == AddressFamily.InterNetwork ? A : Aaaa;
            Add(name, type, address.GetAddressBytes(), authentic);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        tcp.Stop();
        udp.Dispose();
        await Task.WhenAll(loops);
        await Task.WhenAll(late);
        stop.Dispose();
        asked.Dispose();
    }

    public static byte[] WireName(string name)
    {
        var wire = new List<byte>();
        foreach (var label in name.TrimEnd('.').Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            wire.Add((byte)label.Length);
            wire.AddRange(Encoding.ASCII.GetBytes(label));
        }

        wire.Add(0);
        return [.. wire];
    }

    private async Task UdpAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var received = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), stop.Token);
                var (answer, held) = Answer(buffer.AsSpan(0, received.ReceivedBytes), overUdp: true);
                if (answer is not null && held is null)
                    await udp.SendToAsync(answer, received.RemoteEndPoint, stop.Token);
                else if (answer is not null)
                    late.Add(SendLateAsync(answer, held!, received.RemoteEndPoint));
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task TcpAsync()
    {
        try
        {
            // Clients keep their connections, so that the next one does not wait for the end of this one.
            while (true)
                late.Add(ServeAsync(await tcp.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        using var client = accepted;
        try
        {
            await using var stream = client.GetStream();
            var length = new byte[2];
            while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, stop.Token) == 2)
            {
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, stop.Token);
                if (Answer(query, overUdp: false).Message is not { } answer)
                    continue;
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                await stream.WriteAsync((byte[])[.. length, .. answer], stop.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task SendLateAsync(byte[] answer, Task held, EndPoint client)
    {
        try
        {
            await held.WaitAsync(stop.Token);
            await udp.SendToAsync(answer, client, stop.Token);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private (byte[]? Message, Task? Held) Answer(ReadOnlySpan<byte> query, bool overUdp)
    {
        var (name, type, end) = ReadQuestion(query);
        questions.Enqueue((name, type));
        asked.Release();
        var checkingDisabled = (query[3] & 0x10) != 0;
        if (!replies.TryGetValue((name, type), out var reply))
            reply = new FakeDnsReply { Code = replies.Keys.Any(key => key.Name == name) ? 0 : NxDomain };
        if (reply.Silent)
            return (null, null);

        var code = reply.Bogus && !checkingDisabled ? ServFail : reply.Code;
        var truncated = reply.Truncated && overUdp;
        var records = code == 0 && !truncated ? reply.Records : [];
        var message = new List<byte>();
        message.AddRange(query[..2]);
        message.Add((byte)(0x81 | (truncated ? 0x02 : 0)));
        message.Add((byte)(0x80 | (reply.Authentic || AlwaysAuthentic ? 0x20 : 0) | (checkingDisabled ? 0x10 : 0) | code));
        var absence = records.Count == 0 && !truncated ? reply.AbsenceLife : null;
        message.AddRange([0, 1, (byte)(records.Count >> 8), (byte)records.Count, 0, (byte)(absence is null ? 0 : 1), 0, 0]);
        message.AddRange(query[12..end]);
        foreach (var (owner, recordType, data) in records)
        {
            message.AddRange(WireName(owner));
            message.AddRange([0, (byte)recordType, 0, 1, .. Number(reply.Ttl), (byte)(data.Length >> 8), (byte)data.Length]);
            message.AddRange(data);
        }

        // The root's SOA: its own TTL is an hour, the last of its numbers the life of an absence (RFC 2308 section 4).
        if (absence is { } life)
            message.AddRange([0, 0, 6, 0, 1, .. Number(3600), 0, 22, 0, 0, .. Number(1), .. Number(3600), .. Number(3600), .. Number(3600), .. Number(life)]);

        return ([.. message], reply.Held);
    }

    private static byte[] Number(int value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(octets, value);
        return octets;
    }

    private static (string Name, int Type, int End) ReadQuestion(ReadOnlySpan<byte> query)
    {
        var labels = new List<string>();
        var at = 12;
        while (query[at] != 0)
        {
            labels.Add(Encoding.ASCII.GetString(query.Slice(at + 1, query[at])).ToLowerInvariant());
            at += query[at] + 1;
        }

        return (string.Join('.', labels), BinaryPrimitives.ReadUInt16BigEndian(query[(at + 1)..]), at + 5);
    }
}
