using System.Numerics;
using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Every configured destination with its finished answers, immutable, in memory.</summary>
/// <remarks>
/// <para>Postfix asks once per MX host of a delivery; because a snapshot never changes and is swapped whole, all of these lookups are
/// answered from one version. See postconf(5), smtp_tls_policy_maps.</para>
/// <code>
/// record   a key with its two answers, as octets (PolicySnapshotRecord)
/// table    records in a few large arrays (chunks), with an index of slots over them (PolicySnapshotTable)
/// base     the table of everything that was read at once
/// overlay  a small table of the changes since, rewritten with each change (PolicySnapshotChange); when it has grown it is merged
///          into the base, which copies the base's index and not its records
/// </code>
/// <para>A lookup searches the overlay, then the base, and allocates nothing.</para>
/// </remarks>
public sealed class PolicySnapshot
{
    /// <summary>Records in an overlay before it is merged: rewriting so many takes as long as a few lookups' network time.</summary>
    internal const int OverlayLimit = 1024;

    // Each change adds a small array to the overlay and each merge one to the base; before there are many they become one.
    private const int MaxOverlayChunks = 64;
    private const int MaxBaseChunks = PolicySnapshotTable.MaxChunks * 3 / 4;

    private readonly PolicySnapshotHash hash;
    private readonly PolicySnapshotTable table;
    private readonly PolicySnapshotTable? overlay;

    // Where the entry * lies, so that the lookups that come to it need not search; null where there is none.
    private readonly PolicySnapshotTable? defaultTable;
    private readonly uint defaultPosition;

    private PolicySnapshot(
        SnapshotIdentity identity, PolicySnapshotHash hash, PolicySnapshotTable table, PolicySnapshotTable? overlay, int count)
    {
        Identity = identity;
        this.hash = hash;
        this.table = table;
        this.overlay = overlay;
        Count = count;
        var defaultHash = PolicySnapshotTable.HashOf(hash, LookupKey.Default);
        defaultTable = overlay?.Find(defaultHash, LookupKey.Default) > 0 ? overlay : table;
        defaultPosition = defaultTable.Find(defaultHash, LookupKey.Default);
        if (defaultPosition == 0 || defaultTable.Record(defaultPosition).IsRemoved)
            defaultTable = null;
    }

    public SnapshotIdentity Identity { get; }

    /// <summary>How many keys are configured.</summary>
    public int Count { get; }

    /// <summary>Every key with its answers, in no particular order.</summary>
    public IEnumerable<SnapshotEntry> Entries
    {
        get
        {
            foreach (var at in Scattered(table.Slots.Length))
            {
                if (TryEntry(table, at, overlay, out var entry))
                    yield return entry;
            }

            foreach (var at in Scattered(overlay?.Slots.Length ?? 0))
            {
                if (TryEntry(overlay!, at, null, out var entry))
                    yield return entry;
            }
        }
    }

    /// <summary>What the entries occupy in memory, in octets.</summary>
    public long Footprint => table.Footprint + (overlay?.Footprint ?? 0);

    /// <summary>A snapshot of these entries, read once. Keys are canonical; of two with the same key the later counts.</summary>
    /// <param name="expected">How many entries there will be, where that is known; makes building faster.</param>
    /// <exception cref="ArgumentException">A key is not ASCII, empty or longer than a canonical key can be.</exception>
    public static PolicySnapshot Build(SnapshotIdentity identity, IEnumerable<SnapshotEntry> entries, int expected = 0)
    {
        var hash = PolicySnapshotHash.Random();
        var builder = new PolicySnapshotTableBuilder(hash);
        builder.Reserve(expected);
        builder.PutAll(entries);
        var table = builder.ToTable();
        return new(identity, hash, table, null, table.Count);
    }

    /// <summary>This snapshot with some keys changed or removed; costs what the change costs, not what the snapshot holds.</summary>
    /// <param name="removed">Taken away first; a key that is not configured is no error.</param>
    /// <param name="changed">Added or replaced.</param>
    public PolicySnapshot With(SnapshotIdentity identity, IEnumerable<SnapshotEntry> changed, IEnumerable<string> removed)
    {
        var change = new PolicySnapshotChange(hash, table, overlay, Count);
        foreach (var key in removed)
            change.Remove(key);
        foreach (var entry in changed)
            change.Put(entry);
        var (nextTable, nextOverlay) = change.Finish();
        if (nextOverlay is not null && nextOverlay.Chunks.Length > MaxOverlayChunks)
            nextOverlay = Rewritten(nextOverlay);
        if (nextTable.Chunks.Length > MaxBaseChunks || nextTable.DeadOctets > nextTable.Octets / 2)
            nextTable = Rewritten(nextTable);
        return new(identity, hash, nextTable, nextOverlay, change.Count);
    }

    /// <summary>Finds what a key is answered by its own entry.</summary>
    /// <param name="canonicalKey">The key.</param>
    /// <param name="map">In which dialect.</param>
    /// <param name="time">Asked where an entry has an end, and only there.</param>
    /// <param name="reply">The answer; of an entry that is not in force its role says so.</param>
    /// <returns>False where the key is not configured.</returns>
    public bool TryFind(scoped ReadOnlySpan<byte> canonicalKey, MapName map, TimeProvider time, out LookupReply reply) =>
        TryFind(canonicalKey, map, time, out reply, out _);

    /// <inheritdoc cref="TryFind(ReadOnlySpan{byte}, MapName, TimeProvider, out LookupReply)"/>
    /// <param name="hasOtherForm">True where the key is not configured and its bare host is in another form, with or without brackets or port: a near miss.</param>
    public bool TryFind(scoped ReadOnlySpan<byte> canonicalKey, MapName map, TimeProvider time, out LookupReply reply, out bool hasOtherForm)
    {
        hasOtherForm = false;
        var bareHost = LookupKey.BareHost(canonicalKey);
        var keyHash = PolicySnapshotTable.HashOfHost(hash, bareHost);
        var perhapsOther = false;
        if (overlay is not null && overlay.TryFind(keyHash, canonicalKey, out var record, ref perhapsOther))
        {
            if (!record.IsRemoved && !PolicySnapshotTable.IsOver(record, time))
            {
                reply = overlay.Reply(record, map, time);
                return true;
            }

            perhapsOther = true;
        }
        else if (table.TryFind(keyHash, canonicalKey, out record, ref perhapsOther))
        {
            if (!PolicySnapshotTable.IsOver(record, time))
            {
                reply = table.Reply(record, map, time);
                return true;
            }

            perhapsOther = true;
        }

        reply = default;
        // All forms of a host have one hash: where it was not met there is none, and most misses end with one search.
        hasOtherForm = perhapsOther
            && ((overlay is not null && overlay.HasHost(keyHash, bareHost, time, null)) || table.HasHost(keyHash, bareHost, time, overlay));
        return false;
    }

    /// <summary>The entry of a canonical key; null where it is not configured.</summary>
    public SnapshotEntry? Find(string canonicalKey)
    {
        Span<byte> octets = stackalloc byte[LookupKey.MaxCanonicalLength];
        var key = octets[..PolicySnapshotTableBuilder.KeyOctets(canonicalKey, octets)];
        var keyHash = PolicySnapshotTable.HashOf(hash, key);
        var from = overlay?.Find(keyHash, key) > 0 ? overlay : table;
        var position = from.Find(keyHash, key);
        return position == 0 || from.Record(position).IsRemoved ? null : WholeEntry(from, from.Record(position));
    }

    /// <summary>Finds what the entry <c>*</c> answers.</summary>
    /// <returns>False where there is none in force.</returns>
    public bool TryFindDefault(MapName map, TimeProvider time, out LookupReply reply)
    {
        reply = defaultTable is null ? default : defaultTable.Reply(defaultTable.Record(defaultPosition), map, time);
        return reply.Role != EntryRole.Absent;
    }

    private PolicySnapshotTable Rewritten(PolicySnapshotTable from)
    {
        var builder = new PolicySnapshotTableBuilder(hash);
        builder.Reserve(from.Count);
        foreach (var slot in from.Slots)
        {
            if (slot != 0)
                builder.Copy(from, from.Record((uint)slot));
        }

        return builder.ToTable();
    }

    // Every number below the length once, not in order: whoever fills an index with what came out of one in its order
    // fills it from one end (see PolicySnapshotTableBuilder.Reserve).
    private static IEnumerable<int> Scattered(int length)
    {
        var step = (int)(length * 5L / 8);
        while (length > 1 && BigInteger.GreatestCommonDivisor(++step, length) != 1)
        {
        }

        for (long count = 0, at = 0; count < length; count++, at = (at + step) % length)
            yield return (int)at;
    }

    private static bool TryEntry(PolicySnapshotTable from, int at, PolicySnapshotTable? hiding, out SnapshotEntry entry)
    {
        entry = default;
        var slot = from.Slots[at];
        if (slot == 0)
            return false;
        var record = from.Record((uint)slot);
        if (record.IsRemoved || (hiding is not null && hiding.TryFind((uint)(slot >> 32), record.Key, out _)))
            return false;
        entry = WholeEntry(from, record);
        return true;
    }

    private static SnapshotEntry WholeEntry(PolicySnapshotTable from, in PolicySnapshotRecord record)
    {
        var entry = Entry(from, record);
        return !record.HasEnd
            ? entry
            : entry with
            {
                ValidUntil = DateTimeOffset.FromUnixTimeSeconds(record.ValidUntil),
                Then = record.Then == 0 ? null : EntryAfter.Of(Entry(from, from.Record(record.Then))),
                HasLapsed = record.HasLapsed,
            };
    }

    private static SnapshotEntry Entry(PolicySnapshotTable from, in PolicySnapshotRecord record) => new(
        Encoding.ASCII.GetString(record.Key), Answer(from, record, MapName.TlsPolicy), Answer(from, record, MapName.TlsPolicyTlsRpt), record.IsPinned)
    {
        IsDefault = record.Role == EntryRole.Answers && record.Kind(MapName.TlsPolicy) == LookupAnswerKind.NotFound,
        Floor = record.Role == EntryRole.Discovers ? record.Floor : null,
    };

    private static LookupAnswer Answer(PolicySnapshotTable from, in PolicySnapshotRecord record, MapName map) =>
        new(record.Kind(map), Encoding.ASCII.GetString(from.Text(record.TextPosition(map))));
}

/// <summary>Which state of which store a snapshot shows, and for which Postfix its answers were written.</summary>
/// <param name="StoreId">The store's random identity, made by <c>policyctl init</c>.</param>
/// <param name="Sequence">The last audit row that the snapshot includes; 0 for an empty log.</param>
/// <param name="Hash">That row's hash, lower-case hexadecimal; empty for an empty log.</param>
/// <param name="Digest">The digest the pins are served in.</param>
/// <param name="Version">The oldest Postfix served.</param>
public sealed record SnapshotIdentity(string StoreId, long Sequence, string Hash, DigestAlgorithm Digest, PostfixVersion Version);

/// <summary>The snapshot that lookups are answered from; replaced whole when the store changes.</summary>
public interface ICurrentSnapshot
{
    /// <summary>The snapshot in force; null until one is loaded, and then every lookup is a temporary error.</summary>
    PolicySnapshot? Current { get; }
}
