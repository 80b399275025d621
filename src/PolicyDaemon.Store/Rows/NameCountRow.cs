namespace PolicyDaemon.Store.Rows;

/// <summary>How often a name occurs.</summary>
internal sealed class NameCountRow
{
    public string Name { get; set; } = "";

    public long Count { get; set; }
}
