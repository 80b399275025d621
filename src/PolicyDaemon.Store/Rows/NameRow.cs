namespace PolicyDaemon.Store.Rows;

/// <summary>A name.</summary>
internal sealed class NameRow
{
    public string Name { get; set; } = "";
}
