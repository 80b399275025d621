using System.Text.Json;
using System.Text.Json.Serialization;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>Times as everywhere else: ISO 8601, whole seconds, <c>Z</c> instead of an offset.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Times.Text(value));
}
