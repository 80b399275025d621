using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Serving;

/// <summary>Applies changes to an overlay, and, once that has grown too large, to the base itself.</summary>
internal sealed class PolicySnapshotChange
{
    private readonly PolicySnapshotHash hash;
    private readonly PolicySnapshotTable table;

    // One of the two: changes go to the overlay until it is full, then it is merged and they go to the base.
    private PolicySnapshotTableBuilder? overlayBuilder;
    private PolicySnapshotTableBuilder? tableBuilder;

    public PolicySnapshotChange(PolicySnapshotHash hash, PolicySnapshotTable table, PolicySnapshotTable? overlay, int count)
    {
        this.hash = hash;
        this.table = table;
        overlayBuilder = new PolicySnapshotTableBuilder(hash, overlay ?? PolicySnapshotTable.Empty);
        Count = count;
    }

    /// <summary>Keys configured after the changes so far.</summary>
    public int Count { get; private set; }

    public void Put(SnapshotEntry entry)
    {
        Span<byte> octets = stackalloc byte[LookupKey.MaxCanonicalLength];
        var key = octets[..PolicySnapshotTableBuilder.KeyOctets(entry.Key, octets)];
        if (!IsConfigured(key))
            Count++;
        (overlayBuilder ?? tableBuilder!).Put(entry);
        MergeWhenFull();
    }

    public void Remove(string canonicalKey)
    {
        Span<byte> octets = stackalloc byte[LookupKey.MaxCanonicalLength];
        var key = octets[..PolicySnapshotTableBuilder.KeyOctets(canonicalKey, octets)];
        if (!IsConfigured(key))
            return;
        Count--;
        if (overlayBuilder is null)
            tableBuilder!.Remove(key);
        else if (table.TryFind(PolicySnapshotTable.HashOf(hash, key), key, out _))
            overlayBuilder.PutRemoved(key);
        else
            overlayBuilder.Remove(key);
        MergeWhenFull();
    }

    public (PolicySnapshotTable Table, PolicySnapshotTable? Overlay) Finish()
    {
        if (overlayBuilder is null)
            return (tableBuilder!.ToTable(), null);
        var overlay = overlayBuilder.ToTable();
        return (table, overlay.Count == 0 ? null : overlay);
    }

    private bool IsConfigured(ReadOnlySpan<byte> key)
    {
        if (overlayBuilder is null)
            return tableBuilder!.TryFind(key, out _);
        return overlayBuilder.TryFind(key, out var removed)
            ? !removed
            : table.TryFind(PolicySnapshotTable.HashOf(hash, key), key, out _);
    }

    private void MergeWhenFull()
    {
        if (overlayBuilder is null || overlayBuilder.Count <= PolicySnapshot.OverlayLimit)
            return;
        var overlay = overlayBuilder.ToTable();
        overlayBuilder = null;
        tableBuilder = new PolicySnapshotTableBuilder(hash, table);
        tableBuilder.Reserve(tableBuilder.Count + overlay.Count);
        foreach (var slot in overlay.Slots)
        {
            if (slot == 0)
                continue;
            var record = overlay.Record((uint)slot);
            if (record.IsRemoved)
                tableBuilder.Remove(record.Key);
            else
                tableBuilder.Copy(overlay, record);
        }
    }
}
