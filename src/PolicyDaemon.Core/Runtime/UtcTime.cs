using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Times as programs read them and people compare them: ISO 8601, UTC, whole seconds.</summary>
public static class UtcTime
{
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The time cut to whole seconds, as the store keeps it.</summary>
    public static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}

/// <summary>Writes times in JSON as <see cref="UtcTime"/> has them: <c>Z</c> instead of an offset.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(UtcTime.Text(value));
    }
}
