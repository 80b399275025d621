using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration;

/// <summary>The reason why a request of an administrator is refused.</summary>
public enum Refusal
{
    /// <summary>The key is not configured.</summary>
    NotConfigured,

    /// <summary>The key that is to be added is configured.</summary>
    ConfiguredAlready,

    /// <summary>The destination has no such pin, or none that is served.</summary>
    NoSuchPin,

    /// <summary>The destination's level takes no pins.</summary>
    LevelTakesNoPins,

    /// <summary>The entry could not be served after the change.</summary>
    NotServable,

    /// <summary>The change weakens what is enforced, or trusts a rejected pin, and no reason is given.</summary>
    NeedsReason,

    /// <summary>There is no such change, or its keys were changed since.</summary>
    NotUndoable,

    /// <summary>The store cannot be accepted, since nobody knows which one it replaces.</summary>
    NothingToReplace,

    /// <summary>The audit log has no such row.</summary>
    NoSuchRow,

    /// <summary>A table is no text.</summary>
    TableUnreadable,

    /// <summary>Rows of a table cannot be imported.</summary>
    TableRefused,

    /// <summary>The servers were reached, and none presented a certificate.</summary>
    NoCertificate,

    /// <summary>No server was reached.</summary>
    NotReached,

    /// <summary>A key that a person rejected is presented.</summary>
    RejectedKeyPresented,

    /// <summary>Other keys are presented than those that are expected.</summary>
    NotAsExpected,

    /// <summary>Nothing proves whose the presented keys are.</summary>
    NoEvidence,
}

/// <summary>A request that is refused as a whole: nothing was changed, and the message says what to do instead.</summary>
/// <remarks>An exception, as <see cref="StoreException"/> is: most are found out within the store's transaction, which then must not commit.</remarks>
public sealed class RefusedException(Refusal refusal, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    /// <summary>The reason, for programs; the message is for people.</summary>
    public Refusal Refusal { get; } = refusal;

    /// <summary>Lines below the message, such as one per refused row.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
