using System.Collections.Concurrent;
using System.Text;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>The answer of a verdict, ready to be sent, and until when it holds.</summary>
/// <remarks>Times are Unix seconds in 32 bits, enough until 2106. Common texts are shared.</remarks>
public sealed class DiscoveredRecord
{
    private static readonly byte[] Nothing = [];
    private static readonly byte[] Dane = "dane"u8.ToArray();
    private static readonly byte[] DaneOnly = "dane-only"u8.ToArray();

    private readonly byte[] text;
    private readonly byte[] tlsRptText;
    private readonly byte kind;
    private readonly byte tlsRptKind;
    private readonly byte source;
    private readonly bool isProtected;
    private uint used;
    private int wanted;

    private DiscoveredRecord(LookupAnswer plain, LookupAnswer tlsRpt, DiscoveredAnswer answer, bool isProtected, uint due, uint validUntil, uint used)
    {
        kind = (byte)plain.Kind;
        text = Octets(plain.Text);
        tlsRptKind = (byte)tlsRpt.Kind;
        tlsRptText = tlsRpt.Text == plain.Text ? text : Octets(tlsRpt.Text);
        source = (byte)answer;
        this.isProtected = isProtected;
        Due = due;
        ValidUntil = validUntil;
        this.used = used;
    }

    /// <summary>When the verdict is due to be renewed, if a lookup uses it.</summary>
    public uint Due { get; }

    /// <summary>When the verdict ends by itself: its policy expires, or its last facts are too old.</summary>
    public uint ValidUntil { get; }

    /// <summary>When a lookup used the verdict last.</summary>
    public uint Used => Volatile.Read(ref used);

    /// <summary>The verdict: what discovery answers for the key.</summary>
    public DiscoveredAnswer Answer => (DiscoveredAnswer)source;

    /// <summary>True where nothing is known of the destination yet, so that the verdict is the careful one for an unknown destination.</summary>
    public bool IsUnknown { get; private init; }

    /// <summary>The key is one of those that are discovered without an entry that asks for it.</summary>
    public bool IsInScope { get; private init; }

    /// <summary>True for a verdict that the full cache never evicts.</summary>
    public bool IsProtected => isProtected;

    /// <param name="verdict">The verdict.</param>
    /// <param name="memory">What it was made of; null where that is not known yet, and the record is for those who wait alone.</param>
    /// <param name="conditions">By which it was made.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <param name="defersUnknown">Where nothing is known mail waits.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="remark">What a person should read of the answer; null where nothing.</param>
    /// <param name="isInScope">The key is one of those that are discovered without an entry that asks for it.</param>
    public static DiscoveredRecord Of(
        DiscoveryVerdict verdict, Discovered? memory, DiscoverySettings conditions, PostfixSettings postfix, bool defersUnknown, DateTimeOffset now,
        out DiscoveryRemark? remark, bool isInScope = true)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        LookupAnswer plain, tlsRpt;
        if (verdict.IsUnknown && defersUnknown)
        {
            plain = tlsRpt = DiscoveredReply.Deferred;
            remark = null;
        }
        else
        {
            (plain, tlsRpt) = DiscoveredReply.Answers(verdict, postfix, out remark);
        }

        return new(
            PolicySnapshotAnswers.Storable(plain), PolicySnapshotAnswers.Storable(tlsRpt), verdict.Answer,
            memory is null or { IsProtected: true }, memory is null ? uint.MaxValue : Seconds(memory.NextDue(conditions, now)),
            verdict.ValidUntil is { } end ? Seconds(end) : uint.MaxValue, Seconds(memory?.Used ?? now))
        {
            IsUnknown = verdict.IsUnknown,
            IsInScope = isInScope,
        };
    }

    /// <summary>The answer, in octets that stay as they are.</summary>
    public LookupReply Reply(MapName map) => map == MapName.TlsPolicyTlsRpt
        ? new((LookupAnswerKind)tlsRptKind, tlsRptText)
        : new((LookupAnswerKind)kind, text);

    /// <summary>Takes note of its use.</summary>
    /// <returns>True where this is the first to find that it is to be renewed.</returns>
    internal bool Touch(uint now)
    {
        if (used != now)
            Volatile.Write(ref used, now);
        // A time that is far beyond was written while the clock was ahead; who renews it knows.
        return now >= Due && Volatile.Read(ref wanted) == 0 && Interlocked.Exchange(ref wanted, 1) == 0;
    }

    /// <summary>Lets its next use ask for a renewal again: the last one could not be done.</summary>
    public void WantAgain() => Volatile.Write(ref wanted, 0);

    /// <summary>Takes the use of the record over that this one replaces.</summary>
    internal void TakeUse(DiscoveredRecord before) => Volatile.Write(ref used, Math.Max(used, before.Used));

    internal static uint Seconds(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);

    private static byte[] Octets(string text) => text switch
    {
        "" => Nothing,
        "dane" => Dane,
        "dane-only" => DaneOnly,
        _ => Encoding.ASCII.GetBytes(text),
    };
}

/// <summary>What discovery answers, in memory: read without a lock by the thread that answers, written by others.</summary>
public sealed class DiscoveredAnswers
{
    /// <summary>Verdicts kept at most, beside those that protect something.</summary>
    public const int Most = 1_000_000;

    private readonly int most;
    private readonly ConcurrentDictionary<string, DiscoveredRecord> records = new(1, 31, AsciiKeyComparer.Instance);
    private readonly ConcurrentDictionary<string, DiscoveredRecord>.AlternateLookup<ReadOnlySpan<byte>> byOctets;
    private readonly int[] byAnswer = new int[Enum.GetValues<DiscoveredAnswer>().Length];
    private int count;

    public DiscoveredAnswers()
        : this(Most)
    {
    }

    internal DiscoveredAnswers(int most)
    {
        this.most = most;
        byOctets = records.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>How many of the destinations that are known are answered how.</summary>
    public IReadOnlyDictionary<DiscoveredAnswer, int> CountByAnswer() =>
        Enum.GetValues<DiscoveredAnswer>().ToDictionary(answer => answer, answer => Volatile.Read(ref byAnswer[(int)answer]));

    public DiscoveredRecord? Find(ReadOnlySpan<byte> canonicalKey) => byOctets.TryGetValue(canonicalKey, out var record) ? record : null;

    public DiscoveredRecord? Find(string canonicalKey) => records.GetValueOrDefault(canonicalKey);

    /// <summary>Answers this from now on. For one writer at a time.</summary>
    public void Put(string canonicalKey, DiscoveredRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (records.TryGetValue(canonicalKey, out var before))
        {
            record.TakeUse(before);
            byAnswer[(int)before.Answer]--;
        }
        else
        {
            count++;
        }

        byAnswer[(int)record.Answer]++;
        records[canonicalKey] = record;
        if (count > most)
            Trim();
    }

    public void Remove(string canonicalKey)
    {
        if (!records.TryRemove(canonicalKey, out var gone))
            return;
        byAnswer[(int)gone.Answer]--;
        count--;
    }

    /// <summary>Lets a twentieth go, of those that protect nothing those that were not used for the longest time.</summary>
    private void Trim()
    {
        var uses = new List<uint>(count);
        foreach (var (_, record) in records)
        {
            if (!record.IsProtected)
                uses.Add(record.Used);
        }

        if (uses.Count == 0)
            return;
        uses.Sort();
        var excess = Math.Min(uses.Count, count - most + (most / 20));
        var last = uses[excess - 1];
        foreach (var (key, record) in records)
        {
            if (excess == 0)
                return;
            if (record.IsProtected || record.Used > last)
                continue;
            Remove(key);
            excess--;
        }
    }
}
