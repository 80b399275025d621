namespace PolicyDaemon.Store.Rows;

/// <summary>How the audit log left a key.</summary>
internal sealed class LoggedEntryRow
{
    public string Key { get; set; } = "";

    public string? After { get; set; }
}
