namespace PolicyDaemon.Store.Rows;

/// <summary>An open finding.</summary>
internal sealed class FindingRow
{
    public string Kind { get; set; } = "";

    public string Subject { get; set; } = "";

    public string Detail { get; set; } = "";

    public string Remedy { get; set; } = "";

    public long Since { get; set; }

    public long LastSeen { get; set; }

    public long Occurrences { get; set; }
}
