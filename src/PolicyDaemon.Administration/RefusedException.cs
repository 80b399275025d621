namespace PolicyDaemon.Administration;

/// <summary>Why something that an administrator asked for is not done.</summary>
public enum Refusal
{
    /// <summary>A key with a leading dot has no MX of its own, and nobody named hosts to probe for it.</summary>
    NoHostToProbe,
}

/// <summary>A request that is refused as a whole: nothing was changed, and the message says what to do instead.</summary>
/// <remarks>An exception, as <see cref="Store.StoreException"/> is: most are found out within the store's transaction, which then must not commit.</remarks>
public sealed class RefusedException(Refusal refusal, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    /// <summary>What a program may decide by; the message is for people.</summary>
    public Refusal Refusal { get; } = refusal;

    /// <summary>Lines below the message, such as one per refused row.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
