using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Times as policyctl(1) and the environment of an alert have them: ISO 8601, whole seconds, <c>Z</c> instead of an offset.</summary>
internal sealed class UtcSecondsConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
}
