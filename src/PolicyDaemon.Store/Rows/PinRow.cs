namespace PolicyDaemon.Store.Rows;

/// <summary>A pin of an MX group.</summary>
internal sealed class PinRow
{
    public string Fingerprint { get; set; } = "";

    public string Subject { get; set; } = "";

    public string State { get; set; } = "";

    public string Strength { get; set; } = "";

    public long Since { get; set; }
}
