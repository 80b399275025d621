using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The step from one snapshot to the next.</summary>
/// <param name="Previous">The snapshot it starts from.</param>
/// <param name="Identity">The snapshot it leads to.</param>
/// <param name="Changed">Entries added or replaced.</param>
/// <param name="Removed">Keys taken away.</param>
internal sealed record SnapshotChange(
    SnapshotIdentity Previous, SnapshotIdentity Identity, IReadOnlyList<SnapshotEntry> Changed, IReadOnlyList<string> Removed);

/// <summary>A snapshot made from the store.</summary>
/// <param name="Change">What led to it; null where nothing changed, or everything was read again.</param>
internal sealed record LoadedSnapshot(PolicySnapshot Snapshot, SnapshotChange? Change);
