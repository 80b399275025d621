using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Counts near misses by key, for whoever turns them into findings.</summary>
/// <remarks>
/// Anybody who reaches a lookup socket can ask for <c>host:1</c> to <c>host:65535</c>, so the number of keys is bounded; the
/// rest are counted without their names. A key that is known costs one lock-free look-up and one atomic addition.
/// </remarks>
public sealed class NearMissLog(int capacity = NearMissLog.DefaultCapacity) : INearMissSink
{
    /// <summary>More different near misses between two drains than a person would read.</summary>
    public const int DefaultCapacity = 1000;

    private Generation current = new();
    private long unnamed;

    /// <summary>Near misses since the start whose key was not kept, because there were too many different ones.</summary>
    public long Unnamed => Interlocked.Read(ref unnamed);

    public void Add(ReadOnlySpan<byte> canonicalKey)
    {
        var generation = Volatile.Read(ref current);
        if (generation.ByOctets.TryGetValue(canonicalKey, out var count))
        {
            Interlocked.Increment(ref count.Value);
            return;
        }

        if (Interlocked.Increment(ref generation.Reserved) > capacity)
        {
            Interlocked.Decrement(ref generation.Reserved);
            Interlocked.Increment(ref unnamed);
            return;
        }

        var mine = new StrongBox<long>(1);
        var kept = generation.Counts.GetOrAdd(Encoding.ASCII.GetString(canonicalKey), mine);
        if (ReferenceEquals(kept, mine))
            return;
        Interlocked.Decrement(ref generation.Reserved);
        Interlocked.Increment(ref kept.Value);
    }

    /// <summary>What was counted since the last call, in no particular order.</summary>
    /// <remarks>A lookup under way at that instant may count in the drained set and be lost; a count is a hint, not an account.</remarks>
    public IReadOnlyList<NearMiss> Drain()
    {
        if (Volatile.Read(ref current).Counts.IsEmpty)
            return [];
        var drained = Interlocked.Exchange(ref current, new Generation());
        return [.. drained.Counts.Select(pair => new NearMiss(pair.Key, Interlocked.Read(ref pair.Value.Value)))];
    }

    private sealed class Generation
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "changed by reference, atomically")]
        public int Reserved;

        public Generation() => ByOctets = Counts.GetAlternateLookup<ReadOnlySpan<byte>>();

        // One stripe of locks: keys are added rarely, and a dictionary with many stripes is large while it is empty.
        public ConcurrentDictionary<string, StrongBox<long>> Counts { get; } = new(1, 31, AsciiKeyComparer.Instance);

        public ConcurrentDictionary<string, StrongBox<long>>.AlternateLookup<ReadOnlySpan<byte>> ByOctets { get; }
    }
}
