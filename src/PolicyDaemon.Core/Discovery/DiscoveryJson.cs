using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Evidence and memory as JSON: what <c>check --record</c> writes, a verdict's history keeps and the store remembers.</summary>
/// <remarks>Names are snake_case, enumerations kebab-case, times ISO 8601, durations seconds. Members are only ever added.</remarks>
public static class DiscoveryJson
{
    public static string Write(DiscoveryEvidence evidence) => JsonSerializer.Serialize(evidence, DiscoveryJsonContext.Default.DiscoveryEvidence);

    /// <summary>Writes the evidence in one line, for a database.</summary>
    public static string WriteCompact(DiscoveryEvidence evidence) => JsonSerializer.Serialize(evidence, CompactDiscoveryJsonContext.Default.DiscoveryEvidence);

    /// <summary>Writes in one line what is remembered of a destination.</summary>
    public static string WriteMemory(Discovered memory) => JsonSerializer.Serialize(memory, CompactDiscoveryJsonContext.Default.Discovered);

    /// <param name="json">A text that <see cref="WriteMemory"/> has written.</param>
    /// <param name="memory">What is remembered.</param>
    /// <param name="reason">Why it cannot be read.</param>
    public static bool TryReadMemory(string json, [NotNullWhen(true)] out Discovered? memory, [NotNullWhen(false)] out string? reason)
    {
        memory = null;
        reason = null;
        try
        {
            memory = JsonSerializer.Deserialize(json, CompactDiscoveryJsonContext.Default.Discovered);
        }
        catch (Exception fault) when (fault is JsonException or FormatException or ArgumentException)
        {
            reason = fault.Message;
            return false;
        }

        if (memory is not null && IsWhole(memory))
            return true;
        memory = null;
        reason = "nothing is remembered there";
        return false;
    }

    /// <param name="json">A text that <see cref="Write"/> has written.</param>
    /// <param name="evidence">The evidence.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryRead(string json, [NotNullWhen(true)] out DiscoveryEvidence? evidence, [NotNullWhen(false)] out string? reason)
    {
        evidence = null;
        reason = null;
        try
        {
            evidence = JsonSerializer.Deserialize(json, DiscoveryJsonContext.Default.DiscoveryEvidence);
        }
        catch (Exception fault) when (fault is JsonException or FormatException or ArgumentException)
        {
            reason = fault.Message;
            return false;
        }

        if (evidence is not null && IsWhole(evidence))
            return true;
        evidence = null;
        reason = "it holds no evidence";
        return false;
    }

    internal static bool IsWhole(DiscoveryEvidence evidence) => !evidence.Answers.IsDefault && evidence.Answers.All(IsWhole) && IsWhole(evidence.Before);

    // An array that is null is a default one, and an element may be null: no annotation refuses either.
    internal static bool IsWhole(DnsAnswer answer) => answer is { Data.IsDefault: false } && answer.Data.All(text => text is not null);

    private static bool IsWhole(Discovered memory) => IsWhole(memory.Facts) && IsWhole(memory.Failing);

    private static bool IsWhole(DeliveryFacts? facts) => facts is null || (!facts.Hosts.IsDefault && facts.Hosts.All(host => host is { Name: not null }));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true,
    Converters =
    [
        typeof(NextHopConverter), typeof(DnsTypeConverter), typeof(TlsLevelConverter), typeof(SecondsConverter),
        typeof(KebabConverter<DnsAnswerKind>), typeof(KebabConverter<DnssecStatus>), typeof(KebabConverter<HostClass>), typeof(KebabConverter<MxState>),
        typeof(KebabConverter<StsStatus>), typeof(KebabConverter<StsAnnouncement>),
    ])]
[JsonSerializable(typeof(DiscoveryEvidence))]
internal sealed partial class DiscoveryJsonContext : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters =
    [
        typeof(NextHopConverter), typeof(DnsTypeConverter), typeof(TlsLevelConverter), typeof(SecondsConverter),
        typeof(KebabConverter<DnsAnswerKind>), typeof(KebabConverter<DnssecStatus>), typeof(KebabConverter<HostClass>), typeof(KebabConverter<MxState>),
        typeof(KebabConverter<StsStatus>), typeof(KebabConverter<StsAnnouncement>),
    ])]
[JsonSerializable(typeof(DiscoveryEvidence))]
[JsonSerializable(typeof(Discovered))]
internal sealed partial class CompactDiscoveryJsonContext : JsonSerializerContext;

internal sealed class KebabConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

internal sealed class NextHopConverter : JsonConverter<NextHop>
{
    public override NextHop Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        NextHop.TryParse(reader.GetString(), out var key, out var reason) ? key : throw new FormatException(reason);

    public override void Write(Utf8JsonWriter writer, NextHop value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
}

internal sealed class DnsTypeConverter : JsonConverter<DnsType>
{
    public override DnsType Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.GetString();
        foreach (var type in Enum.GetValues<DnsType>())
        {
            if (type.Text() == text)
                return type;
        }

        throw new FormatException($"'{text}' is no type of record that is asked for");
    }

    public override void Write(Utf8JsonWriter writer, DnsType value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text());
}

internal sealed class TlsLevelConverter : JsonConverter<TlsLevel>
{
    public override TlsLevel Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TlsLevels.TryParse(reader.GetString(), out var level) ? level : throw new FormatException("no TLS security level");

    public override void Write(Utf8JsonWriter writer, TlsLevel value, JsonSerializerOptions options) => writer.WriteStringValue(value.Name());
}

internal sealed class SecondsConverter : JsonConverter<TimeSpan>
{
    // As a number with a fraction it is a little more than a TimeSpan can hold.
    private static readonly double Longest = TimeSpan.MaxValue.TotalSeconds;

    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var seconds = reader.GetDouble();
        return seconds == Longest ? TimeSpan.MaxValue
            : Math.Abs(seconds) < Longest ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("no duration in seconds");
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(value.TotalSeconds);
}
