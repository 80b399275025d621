using System.Text.Json.Serialization;

namespace PolicyDaemon.Store.Documents;

/// <summary>A destination as JSON, as the audit log keeps it: its text is hashed, so names and order never change.</summary>
/// <remarks>What is absent is left out.</remarks>
internal sealed record DestinationDocument
{
    [JsonPropertyOrder(0)]
    public required string Key { get; init; }

    [JsonPropertyOrder(1)]
    public required string Level { get; init; }

    [JsonPropertyOrder(2)]
    public string[]? Match { get; init; }

    [JsonPropertyOrder(3)]
    public string? Ciphers { get; init; }

    [JsonPropertyOrder(4)]
    public string? Protocols { get; init; }

    [JsonPropertyOrder(5)]
    public string? Exclude { get; init; }

    [JsonPropertyOrder(6), JsonPropertyName("servername")]
    public string? ServerName { get; init; }

    [JsonPropertyOrder(7), JsonPropertyName("tafile")]
    public string[]? TaFiles { get; init; }

    [JsonPropertyOrder(8)]
    public bool? ConnectionReuse { get; init; }

    [JsonPropertyOrder(9)]
    public bool? EnableRpk { get; init; }

    [JsonPropertyOrder(10), JsonPropertyName("tlsrpt")]
    public TlsRptDocument? TlsRpt { get; init; }

    [JsonPropertyOrder(11)]
    public required string Mode { get; init; }

    [JsonPropertyOrder(12), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Observe { get; init; }

    [JsonPropertyOrder(13)]
    public string[]? ProbeAs { get; init; }

    [JsonPropertyOrder(14)]
    public string? Note { get; init; }

    [JsonPropertyOrder(15)]
    public PinDocument[]? Pins { get; init; }
}
