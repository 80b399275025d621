using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Everything that one <c>check</c> rested on: what DNS, policy hosts and mail servers answered, and the settings and the entry that
/// decided. Enough to come to its report again, on another machine and at another time.</summary>
public sealed record CheckRecord
{
    /// <summary>The only format there is.</summary>
    public const string CurrentFormat = "policydaemon-check-1";

    public required string Format { get; init; }

    /// <summary>The version of the program that wrote it.</summary>
    public required string Version { get; init; }

    public required NextHop Key { get; init; }

    public required ImmutableArray<string> ProbeAs { get; init; }

    /// <summary>When the destination was checked, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The settings that decide, as a configuration file.</summary>
    public required string Configuration { get; init; }

    /// <summary>The entry that decides, as a row of <c>export --full</c>; null where there is none.</summary>
    public required string? Entry { get; init; }

    /// <summary>The entry <c>*</c>, in the same syntax; null where none is in force.</summary>
    public string? Everybody { get; init; }

    /// <summary>An entry for a parent's subdomains comes before discovery and <c>*</c>.</summary>
    public bool ParentAnswers { get; init; }

    /// <summary>The key is not configured, and its bare host is in another form.</summary>
    public bool NearMiss { get; init; }

    /// <summary>Why the store could not be asked for it.</summary>
    public required string? StoreProblem { get; init; }

    /// <summary>The resolver passed its self-test; null where it is not trusted.</summary>
    public required bool? TestPassed { get; init; }

    public required string? TestDetail { get; init; }

    /// <summary>When the self-test was, UTC; null where none was, and in records of versions that did not keep it.</summary>
    public DateTimeOffset? TestAt { get; init; }

    /// <summary>The answers of DNS about where mail goes.</summary>
    public required ImmutableArray<DnsAnswer> Answers { get; init; }

    /// <summary>What discovery found; null for a key that is not discovered.</summary>
    public required DiscoveryEvidence? Discovery { get; init; }

    /// <summary>The observation of each server, in the order of the probes.</summary>
    public required ImmutableArray<Observation> Observations { get; init; }

    public string Write() => JsonSerializer.Serialize(this, CheckRecordJson.Default.CheckRecord);

    /// <param name="json">A text that <see cref="Write"/> has written.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(true)] out CheckRecord? record, [NotNullWhen(false)] out string? reason)
    {
        record = null;
        try
        {
            record = JsonSerializer.Deserialize(json, CheckRecordJson.Default.CheckRecord);
        }
        catch (JsonException)
        {
            reason = WhyNoRecord(json);
            return false;
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException)
        {
            reason = fault.Message;
            return false;
        }

        reason = record is null ? "it is empty" : WhyIncomplete(record);
        if (reason is null && record is not null)
            return true;
        record = null;
        reason ??= "it is empty";
        return false;
    }

    private static string WhyNoRecord(ReadOnlySpan<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object ? "it lacks what a record has, or has something else in its place" : "it is no JSON object";
        }
        catch (JsonException fault)
        {
            return $"it is no valid JSON: {JsonFault.Of(fault, json)}";
        }
    }

    private static string? WhyIncomplete(CheckRecord record) => record switch
    {
        { Format: not CurrentFormat } => $"its format is '{record.Format}', and this version reads {CurrentFormat}",
        { ProbeAs.IsDefault: true } or { Answers.IsDefault: true } or { Observations.IsDefault: true } => "a list in it is null",
        _ when record.ProbeAs.Any(name => name is null) => "a host to probe in it is null",
        _ when !record.Answers.All(DiscoveryJson.IsWhole) => "an answer in it has no data",
        _ when !IsTime(record.At) || record.TestAt is { } test && !IsTime(test) => "its time is out of the question",
        _ when record.Answers.Concat(record.Discovery?.Answers is { IsDefault: false } found ? found : []).FirstOrDefault(answer => answer is not null && !IsPlausible(answer)) is { } odd =>
            $"the answer for {odd.Question} in it has a TTL or a time that is out of the question",
        _ when record.Observations.Any(seen => IsIncomplete(seen) || !IsTime(seen.At)) => "an observation in it is incomplete",
        { Discovery: { } evidence } when !DiscoveryJson.IsWhole(evidence) => "its evidence is incomplete",
        _ => null,
    };

    // A TTL has 31 bits of seconds (RFC 2181 section 8).
    private static bool IsPlausible(DnsAnswer answer) => IsTime(answer.At) && answer.Ttl >= TimeSpan.Zero && answer.Ttl.TotalSeconds <= int.MaxValue;

    // Times are reckoned with: one near the ends of the calendar has none behind it.
    private static bool IsTime(DateTimeOffset time) => time.Year is >= 1970 and < 9000;

    private static bool IsIncomplete(Observation? seen) =>
        seen is null or { Certificates.IsDefault: true } or { Absent.IsDefault: true } or { Timings.IsDefault: true } or { Transcript.IsDefault: true }
        || seen.Transcript.Any(line => line is null) || seen.Certificates.Any(shown => shown is null or { Intermediates.IsDefault: true });
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    IgnoreReadOnlyProperties = true,
    WriteIndented = true,
    Converters =
    [
        typeof(NextHopConverter), typeof(DnsTypeConverter), typeof(TlsLevelConverter), typeof(SecondsConverter),
        typeof(KebabConverter<DnsAnswerKind>), typeof(KebabConverter<DnssecStatus>), typeof(KebabConverter<HostClass>), typeof(KebabConverter<MxState>),
        typeof(KebabConverter<StsStatus>), typeof(KebabConverter<StsAnnouncement>), typeof(KebabConverter<ProbeOutcome>), typeof(KebabConverter<ProbeStage>),
        typeof(KebabConverter<KeyAlgorithm>), typeof(KebabConverter<ChainVerdict>), typeof(TargetConverter), typeof(CertificateConverter), typeof(OctetsConverter),
    ])]
[JsonSerializable(typeof(CheckRecord))]
internal sealed partial class CheckRecordJson : JsonSerializerContext;

internal sealed class TargetConverter : JsonConverter<ProbeTarget>
{
    public override ProbeTarget Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ProbeTarget.Parse(reader.GetString() ?? throw new FormatException("no target"));

    public override void Write(Utf8JsonWriter writer, ProbeTarget value, JsonSerializerOptions options) => writer.WriteStringValue(value.Id);
}

/// <summary>A certificate as its DER in base64.</summary>
internal sealed class CertificateConverter : JsonConverter<ServerCertificate>
{
    public override ServerCertificate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ServerCertificate.TryParse(reader.GetBytesFromBase64()) ?? throw new FormatException("no certificate");

    public override void Write(Utf8JsonWriter writer, ServerCertificate value, JsonSerializerOptions options) => writer.WriteBase64StringValue(value.Der.AsSpan());
}

internal sealed class OctetsConverter : JsonConverter<ImmutableArray<byte>>
{
    public override ImmutableArray<byte> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => [.. reader.GetBytesFromBase64()];

    public override void Write(Utf8JsonWriter writer, ImmutableArray<byte> value, JsonSerializerOptions options) => writer.WriteBase64StringValue(value.AsSpan());
}
