using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>Random and mutated requests, in random pieces, against a reference that has them whole.</summary>
/// <remarks>
/// The suite runs 100,000 requests per protocol from a fixed seed. POLICYDAEMON_FUZZ_REQUESTS sets another number and
/// POLICYDAEMON_FUZZ_SEED another seed, for a longer run; a failure names the round, which depends on the seed alone.
/// </remarks>
[Collection(MeasuredAlone.Name)]
public sealed class ProtocolFuzzTests
{
    private static readonly int Requests = Setting("POLICYDAEMON_FUZZ_REQUESTS", 100_000);
    private static readonly int Seed = Setting("POLICYDAEMON_FUZZ_SEED", 20261123);

    private readonly LookupTestData data = new();
    private readonly LookupTestData oracle = new();

    [Fact]
    public void Socketmap_never_answers_wrongly() => Run(
        MapProtocol.Socketmap, SocketmapRequest,
        octets => ReferenceServer.Socketmap(octets, (map, key) => oracle.Ask(key, Encoding.Latin1.GetString(map))));

    [Fact]
    public void Tcp_table_never_answers_wrongly() => Run(
        MapProtocol.TcpTable, TcpTableRequest,
        octets => ReferenceServer.TcpTable(octets, key => oracle.Ask(key)));

    private void Run(MapProtocol protocol, Func<Random, byte[]> makeRequest, Func<byte[], byte[]> reference)
    {
        var random = new Random(Seed);
        using var deadlines = new DeadlineSweep(TimeProvider.System, TimeSpan.FromHours(1), () => false);
        var context = new ConnectionContext(
            NullLogger.Instance, TimeProvider.System, deadlines, new PeerMemory(long.MaxValue, _ => { }), new LogGate(TimeProvider.System), _ => { });
        var round = 0;
        var baseline = 0L;
        for (var done = 0; done < Requests; round++)
        {
            var stream = new List<byte>();
            for (var count = random.Next(1, 8); count > 0; count--, done++)
            {
                var request = makeRequest(random);
                if (random.Next(4) == 0)
                    request = Mutate(random, request);
                stream.AddRange(request);
            }

            var octets = stream.ToArray();
            var actual = Exchange(random, protocol, octets, context);
            var expected = reference(octets);
            Assert.True(
                expected.AsSpan().SequenceEqual(actual),
                $"round {round} of seed {Seed}: sent {Show(octets)}, expected {Show(expected)}, got {Show(actual)}");
            if (round == 2000)
                baseline = GC.GetTotalMemory(forceFullCollection: true);
        }

        // What each connection held is free again; the margin is for what the test runner does beside us.
        if (baseline != 0)
            Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - baseline, long.MinValue, 32L * 1024 * 1024);
    }

    private byte[] Exchange(Random random, MapProtocol protocol, byte[] octets, ConnectionContext context)
    {
        var transport = new PipeTransport();
        var connection = new MapConnection(transport, new ListenerRoom(TestConnections.Endpoint(protocol)), data.Service, context);
        var run = connection.RunAsync();
        for (var at = 0; at < octets.Length && !run.IsCompleted;)
        {
            var piece = Math.Min(octets.Length - at, random.Next(3) switch { 0 => 1 + random.Next(3), 1 => 1 + random.Next(40), _ => octets.Length });
            transport.Send(octets.AsSpan(at, piece));
            at += piece;
        }

        var received = transport.Received();
        if (!run.IsCompleted)
            transport.SendEnd();
        Assert.True(run.Wait(TimeSpan.FromSeconds(30)), "the connection did not end with its peer");
        return [.. received, .. transport.Received()];
    }

    private static byte[] SocketmapRequest(Random random)
    {
        var payload = random.Next(12) switch
        {
            0 => RandomOctets(random, 60),
            1 => [.. "tlspolicy-tlsrpt "u8, .. Key(random)],
            2 => [.. "QUERY "u8, .. Key(random)],
            3 => "tlspolicy"u8.ToArray(),
            _ => [.. "tlspolicy "u8, .. Key(random)],
        };
        var zeros = random.Next(10) == 0 ? new string('0', random.Next(1, 12)) : "";
        return [.. Encoding.ASCII.GetBytes($"{zeros}{payload.Length}:"), .. payload, (byte)','];
    }

    private static byte[] TcpTableRequest(Random random) => random.Next(12) switch
    {
        0 => [.. RandomOctets(random, 60), (byte)'\n'],
        1 => [.. "put "u8, .. Key(random), (byte)'\n'],
        2 => [.. "get "u8, .. Key(random), .. "\r\n"u8],
        _ => TcpTableProtocol.EncodeRequest(Key(random)),
    };

    private static byte[] Key(Random random)
    {
        string[] seeds =
        [
            .. LookupTestData.Table.Keys, "mx.example.net", "[mx.example.net]:25", "M\u00dcNCHEN.example", "sub.example.com", ".com", "com", "",
            "example.com.", " example.com", "a b", "[", "[]:25", "::1", "[::1]:587", "%41", "\0", "example.com:submission", new string('a', 300),
        ];
        var key = seeds[random.Next(seeds.Length)];
        if (random.Next(3) == 0)
            key = string.Concat(key.Select(character => random.Next(2) == 0 ? char.ToUpperInvariant(character) : character));
        var octets = Encoding.UTF8.GetBytes(key);
        return random.Next(400) switch
        {
            0 => RandomOctets(random, 2000),
            1 => [.. octets, .. new byte[random.Next(10_500)]],
            < 60 => Mutate(random, octets),
            _ => octets,
        };
    }

    private static byte[] Mutate(Random random, byte[] octets)
    {
        var list = octets.ToList();
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var at = random.Next(list.Count + 1);
            switch (random.Next(4))
            {
                case 0 when at < list.Count:
                    list[at] = (byte)random.Next(256);
                    break;
                case 1 when at < list.Count:
                    list.RemoveAt(at);
                    break;
                case 2:
                    list.Insert(at, " :,%\n0912\0"u8[random.Next(10)]);
                    break;
                default:
                    list.RemoveRange(at, Math.Min(list.Count - at, random.Next(8)));
                    break;
            }
        }

        return [.. list];
    }

    private static byte[] RandomOctets(Random random, int most)
    {
        var octets = new byte[random.Next(most)];
        random.NextBytes(octets);
        return octets;
    }

    private static string Show(ReadOnlySpan<byte> octets) => PeerText.Escape(octets) + $" ({octets.Length} octets: {Convert.ToHexString(octets[..Math.Min(octets.Length, 400)])})";

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
