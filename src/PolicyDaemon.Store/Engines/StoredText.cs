namespace PolicyDaemon.Store.Engines;

/// <summary>What no engine can store.</summary>
internal static class StoredText
{
    /// <summary>Refuses a text with a NUL: SQLite would give back only what stands before it, so that the audit chain would look altered, and
    /// PostgreSQL takes none.</summary>
    internal static void RefuseNul(object? value)
    {
        if (value is string text && text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("a text with a NUL character cannot be stored", nameof(value));
    }
}
