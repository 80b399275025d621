using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>The work that a lookup calls for beside its answer.</summary>
public enum DemandKind
{
    /// <summary>A probe of a pinned key, where the last one is old.</summary>
    Pinned,

    /// <summary>A finding about a near miss: the key is not configured, but its bare host is in another form.</summary>
    NearMiss,
}

/// <summary>A key with work that lookups called for.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Count">How many lookups since the last drain; of pinned keys 1, however many.</param>
public readonly record struct Demand(string Key, long Count);

/// <summary>The work that lookups call for and other threads do: keys by kind of work, counted, until they are drained.</summary>
/// <remarks>
/// <para>The answering thread must neither wait nor be made to grow by whoever reaches a lookup socket and asks for <c>host:1</c> to
/// <c>host:65535</c>. So each kind has room for so many keys; one that finds none is left out, and comes again with its next lookup. A
/// known key costs one lock-free search, a near miss one atomic addition, and neither allocates anything.</para>
/// <para>A lookup at the instant of a drain may count in the drained set and be lost: a count is a hint, not an account.</para>
/// </remarks>
public sealed class LookupDemand
{
    /// <summary>The room for pinned keys between two drains: more than the prober could probe.</summary>
    public const int MaxPinned = 10_000;

    /// <summary>The room for near misses between two drains: more than a person would read.</summary>
    public const int MaxNearMisses = 1000;

    private readonly int[] room;
    private readonly Generation[] current;

    public LookupDemand()
        : this(MaxPinned, MaxNearMisses)
    {
    }

    internal LookupDemand(int pinned, int nearMisses)
    {
        room = [pinned, nearMisses];
        current = [new(), new()];
    }

    /// <summary>Adds the work of a lookup. From any thread.</summary>
    public void Add(ReadOnlySpan<byte> canonicalKey, DemandKind kind)
    {
        var generation = Volatile.Read(ref current[(int)kind]);
        if (generation.ByOctets.TryGetValue(canonicalKey, out var count))
        {
            // How often a probe is called for makes no difference.
            if (kind != DemandKind.Pinned)
                Interlocked.Increment(ref count.Value);
            return;
        }

        // Reading first keeps a flood of keys for which there is no room from writing at all.
        if (Volatile.Read(ref generation.Reserved) >= room[(int)kind])
            return;
        if (Interlocked.Increment(ref generation.Reserved) > room[(int)kind])
        {
            Interlocked.Decrement(ref generation.Reserved);
            return;
        }

        var mine = new StrongBox<long>(1);
        var kept = generation.Counts.GetOrAdd(Encoding.ASCII.GetString(canonicalKey), mine);
        if (ReferenceEquals(kept, mine))
            return;
        Interlocked.Decrement(ref generation.Reserved);
        if (kind != DemandKind.Pinned)
            Interlocked.Increment(ref kept.Value);
    }

    /// <summary>The keys of one kind since the last drain, in no particular order. For one consumer of each kind.</summary>
    public IReadOnlyList<Demand> Drain(DemandKind kind)
    {
        ref var slot = ref current[(int)kind];
        if (Volatile.Read(ref slot).Counts.IsEmpty)
            return [];
        var drained = Interlocked.Exchange(ref slot, new Generation());
        return [.. drained.Counts.Select(pair => new Demand(pair.Key, Interlocked.Read(ref pair.Value.Value)))];
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
