using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;

namespace PolicyDaemon.Tests.Lookup;

/// <summary>A small table and a service that answers from it.</summary>
internal sealed class LookupTestData : ICurrentSnapshot
{
    public static readonly SnapshotIdentity Identity = new("store", 1, "00", DigestAlgorithm.Sha256, PostfixVersion.Oldest);

    public static readonly string Pins60 = "fingerprint match=" + string.Join('|', Enumerable.Range(0, 60).Select(i => $"{i:x2}".PadLeft(64, 'a')));

    public static readonly string Pins1500 = "fingerprint match=" + string.Join('|', Enumerable.Range(0, 1500).Select(i => $"{i:x4}".PadLeft(64, 'b')));

    public static readonly Dictionary<string, string> Table = new(StringComparer.Ordinal)
    {
        ["example.com"] = "secure match=mx.example.com servername=hostname",
        [".example.com"] = "encrypt",
        ["[mx.example.net]:587"] = "fingerprint match=" + new string('a', 64),
        ["xn--mnchen-3ya.example"] = "secure",
        ["192.0.2.1"] = "encrypt",
        ["many.example"] = Pins60,
        ["most.example"] = Pins1500,
    };

    public PolicySnapshot? Current { get; set; } = PolicySnapshot.Build(Identity, Table.Select(pair => Entry(pair.Key, LookupAnswer.Found(pair.Value))));

    public LookupDemand Demand { get; } = new();

    public TimeProvider Time { get; }

    public LookupService Service { get; }

    public LookupTestData(NearMissAnswer nearMiss = NearMissAnswer.NotFound, TimeProvider? time = null)
    {
        Time = time ?? TimeProvider.System;
        Service = new LookupService(
            this, PostfixSettings.Default with { NearMiss = nearMiss }, Demand, new LookupCounters(), NullLogger<LookupService>.Instance, Time);
    }

    public static SnapshotEntry Entry(string key, LookupAnswer answer) =>
        new(key, answer, answer, IsPinned: answer.Text?.StartsWith("fingerprint", StringComparison.Ordinal) == true);

    public LookupAnswer Ask(string key, string map = "tlspolicy") => Ask(Encoding.UTF8.GetBytes(key), map);

    public LookupAnswer Ask(byte[] key, string map = "tlspolicy")
    {
        var reply = Service.Answer(Encoding.ASCII.GetBytes(map), key);
        return new(reply.Kind, Encoding.ASCII.GetString(reply.Text));
    }

    /// <summary>The octets as a sequence of segments that end at the given places.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] octets, params int[] cuts)
    {
        Segment? first = null;
        Segment? last = null;
        var start = 0;
        foreach (var cut in cuts.Append(octets.Length).Order())
        {
            var memory = octets.AsMemory(start, cut - start);
            last = last is null ? first = new Segment(memory) : last.Append(memory);
            start = cut;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
