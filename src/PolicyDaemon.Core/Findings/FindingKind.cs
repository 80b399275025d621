namespace PolicyDaemon.Core.Findings;

/// <summary>What a person should read. The names in <see cref="FindingKinds"/> are stored and shown.</summary>
public enum FindingKind
{
    /// <summary>A miss whose bare host is configured in another form.</summary>
    NearMiss,

    /// <summary>The store cannot be opened or read: missing, locked, full disk, wrong rights.</summary>
    StoreUnavailable,

    /// <summary>The store fails its integrity check.</summary>
    StoreDamaged,

    /// <summary>The store's audit log lacks the last row that was loaded.</summary>
    StoreReplaced,

    /// <summary>An entry cannot be served as it is; it is answered as a temporary error.</summary>
    EntryNotServable,

    /// <summary>The last good snapshot could not be written to disk.</summary>
    SnapshotNotSaved,

    /// <summary>The audit chain does not verify.</summary>
    AuditBroken,
}
