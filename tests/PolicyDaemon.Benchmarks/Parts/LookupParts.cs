using System.Buffers;
using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Benchmarks.Parts;

/// <summary>The parts of a socketmap lookup, and the whole between the two pipes.</summary>
[MemoryDiagnoser]
public class LookupParts
{
    private const int Rows = 10_000;

    private readonly ArrayBufferWriter<byte> output = new(128 * 1024);
    private LookupService service = null!;
    private PolicySnapshot snapshot = null!;
    private byte[] request = [];
    private byte[] key = [];
    private byte[] canonical = [];

    /// <summary>What is asked for.</summary>
    [Params("hit", "miss", "IDN key", "60 pins")]
    public string Asked { get; set; } = "hit";

    [GlobalSetup]
    public void SetUp()
    {
        var pins = string.Join(' ', Enumerable.Range(0, 60).Select(pin =>
            "match=" + string.Concat(Enumerable.Range(0, 32).Select(octet => ((byte)(pin + octet)).ToString("x2", CultureInfo.InvariantCulture)))));
        var entries = Enumerable.Range(0, Rows)
            .Select(index => Entry($"partner-{index:D5}.example", $"secure match=mx1.partner-{index:D5}.example"))
            .Append(Entry("xn--mnchen-3ya.example", "secure match=mx.xn--mnchen-3ya.example"))
            .Append(Entry("pinned.example", "fingerprint " + pins) with { IsPinned = true });
        snapshot = PolicySnapshot.Build(new SnapshotIdentity("benchmarks", 0, "", DigestAlgorithm.Sha256, PostfixVersion.Oldest), entries);
        service = new LookupService(
            new Fixed(snapshot), PostfixSettings.Default, new LookupDemand(), new LookupCounters(), NullLogger<LookupService>.Instance, TimeProvider.System);
        key = Encoding.UTF8.GetBytes(Asked switch
        {
            "hit" => "partner-04711.example",
            "miss" => "partner-04711.example.com",
            "IDN key" => "münchen.example",
            _ => "pinned.example",
        });
        request = [.. Encoding.ASCII.GetBytes(FormattableString.Invariant($"{10 + key.Length}:tlspolicy ")), .. key, (byte)','];
        var form = new byte[LookupKey.MaxCanonicalLength];
        if (LookupKey.Normalize(key, form, out var length) != LookupKeyStatus.Canonical || Whole() == 0)
            throw new BenchmarkException($"{Asked}: no canonical key");
        canonical = form[..length];
    }

    [Benchmark]
    public int Parse()
    {
        var buffer = new ReadOnlySequence<byte>(request);
        SocketmapProtocol.TryReadRequest(ref buffer, out var payload);
        SocketmapProtocol.Split(payload.FirstSpan, out var map, out var asked);
        return map.Length + asked.Length;
    }

    [Benchmark]
    public int Normalise()
    {
        if (LookupKey.IsCanonicalHost(key))
            return key.Length;
        Span<byte> form = stackalloc byte[LookupKey.MaxCanonicalLength];
        LookupKey.Normalize(key, form, out var length);
        return length;
    }

    [Benchmark]
    public int Find() => snapshot.TryFind(canonical, MapName.TlsPolicy, TimeProvider.System, out var reply, out var hasOtherForm) || hasOtherForm ? reply.Text.Length : 0;

    [Benchmark]
    public int Write()
    {
        output.ResetWrittenCount();
        snapshot.TryFind(canonical, MapName.TlsPolicy, TimeProvider.System, out var reply);
        SocketmapProtocol.WriteReply(output, reply);
        return output.WrittenCount;
    }

    [Benchmark]
    public int Whole()
    {
        output.ResetWrittenCount();
        var buffer = new ReadOnlySequence<byte>(request);
        SocketmapProtocol.TryReadRequest(ref buffer, out var payload);
        SocketmapProtocol.Split(payload.FirstSpan, out var map, out var asked);
        SocketmapProtocol.WriteReply(output, service.Answer(map, asked));
        return output.WrittenCount;
    }

    private static SnapshotEntry Entry(string name, string policy) => new(name, LookupAnswer.Found(policy), LookupAnswer.Found(policy));

    private sealed class Fixed(PolicySnapshot snapshot) : ICurrentSnapshot
    {
        public PolicySnapshot? Current => snapshot;
    }
}
