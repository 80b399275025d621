using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Which pinned keys were asked for of late, each once, for whoever makes their probes due.</summary>
/// <remarks>A key that is known costs one lock-free look-up and allocates nothing. How many are kept is bounded; a key that finds no
/// room is asked for again by the next delivery.</remarks>
public sealed class PinnedLookups(int capacity = PinnedLookups.DefaultCapacity) : IPinnedLookupSink
{
    /// <summary>More different keys between two calls of <see cref="Forget"/> than the prober could visit.</summary>
    public const int DefaultCapacity = 10_000;

    private readonly ConcurrentQueue<string> waiting = new();
    private Generation current = new();

    public void Add(ReadOnlySpan<byte> canonicalKey)
    {
        var generation = Volatile.Read(ref current);
        if (generation.ByOctets.ContainsKey(canonicalKey) || Volatile.Read(ref generation.Reserved) >= capacity)
            return;
        var key = Encoding.ASCII.GetString(canonicalKey);
        if (Interlocked.Increment(ref generation.Reserved) <= capacity && generation.Keys.TryAdd(key, default))
            waiting.Enqueue(key);
    }

    /// <summary>The keys that were noted since the last call.</summary>
    public IReadOnlyList<string> Take()
    {
        if (waiting.IsEmpty)
            return [];
        var taken = new List<string>();
        while (taken.Count < capacity && waiting.TryDequeue(out var key))
            taken.Add(key);
        return taken;
    }

    /// <summary>From now on a key that was noted before is noted again.</summary>
    public void Forget()
    {
        if (!Volatile.Read(ref current).Keys.IsEmpty)
            Volatile.Write(ref current, new Generation());
    }

    private sealed class Generation
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "changed by reference, atomically")]
        public int Reserved;

        public Generation() => ByOctets = Keys.GetAlternateLookup<ReadOnlySpan<byte>>();

        // One stripe of locks: keys are added rarely, and a dictionary with many stripes is large while it is empty.
        public ConcurrentDictionary<string, byte> Keys { get; } = new(1, 31, AsciiKeyComparer.Instance);

        public ConcurrentDictionary<string, byte>.AlternateLookup<ReadOnlySpan<byte>> ByOctets { get; }
    }
}
