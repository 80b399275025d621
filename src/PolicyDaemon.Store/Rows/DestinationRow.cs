namespace PolicyDaemon.Store.Rows;

/// <summary>A destination with one of its own pins, or with none: a row of the join that lists them.</summary>
internal sealed class DestinationRow
{
    public long Id { get; set; }

    public string Key { get; set; } = "";

    public string Level { get; set; } = "";

    public string? MatchNames { get; set; }

    public string? Ciphers { get; set; }

    public string? Protocols { get; set; }

    public string? Exclude { get; set; }

    public string? Servername { get; set; }

    public string? Tafile { get; set; }

    public long? ConnectionReuse { get; set; }

    public long? EnableRpk { get; set; }

    public string? Tlsrpt { get; set; }

    public string Mode { get; set; } = "";

    public long Observe { get; set; }

    public string? ProbeAs { get; set; }

    public string? Note { get; set; }

    public string? PinFingerprint { get; set; }

    public string? PinSubject { get; set; }

    public string? PinState { get; set; }

    public string? PinStrength { get; set; }

    public long? PinSince { get; set; }
}
