namespace PolicyDaemon.Store.Rows;

/// <summary>A finding.</summary>
internal sealed class FindingRow
{
    public long Id { get; set; }

    public string Kind { get; set; } = "";

    public string Subject { get; set; } = "";

    public string Detail { get; set; } = "";

    public string Remedy { get; set; } = "";

    public long Since { get; set; }

    public long LastSeen { get; set; }

    public long Occurrences { get; set; }

    public string? Outcome { get; set; }

    public string? Expected { get; set; }

    public string? Seen { get; set; }

    public long Affects { get; set; }

    public long? Closed { get; set; }

    public long? Notified { get; set; }

    public long Escalation { get; set; }
}
