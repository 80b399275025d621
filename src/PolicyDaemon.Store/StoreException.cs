namespace PolicyDaemon.Store;

/// <summary>The store cannot be used; the message names the file and says what to do next.</summary>
// The kind decides exit codes and findings, so the usual constructors without it have no meaning.
#pragma warning disable CA1032
public sealed class StoreException : Exception
#pragma warning restore CA1032
{
    public StoreException(StoreFault kind, string message, Exception? cause = null)
        : base(message, cause) => Kind = kind;

    public StoreFault Kind { get; }

    /// <summary>True where the file itself is bad, so that waiting does not help.</summary>
    internal bool IsDamage => Kind is StoreFault.Damaged or StoreFault.NotAStore;
}
