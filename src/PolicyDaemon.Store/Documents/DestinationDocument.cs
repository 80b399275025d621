using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store.Documents;

/// <summary>A destination as JSON, as the audit log keeps it: its text is hashed, so names and order never change.</summary>
/// <remarks>
/// <code>
/// {"key":"example.com","level":"fingerprint", the attributes as in PolicyDocument,
///  "mode":"assist","observe":true,"floor":"secure","until":1795476300,"then":{"level":"secure", attributes, "floor", "observe"},"probe_as":["mx.example.com"],"note":"...",
///  "pins":[{"fingerprint":"...","subject":"public-key","state":"active","strength":"dane","since":1795472700}]}
/// </code>
/// What is absent is left out, such as the strength of a pin that nothing trusted; so is <c>observe</c> where it is false. A value that this version does not know is a <see cref="FormatException"/>.
/// </remarks>
internal static class DestinationDocument
{
    // Of stores of the first versions, where the pins beside it were the group's: they are what the destination was served with.
    private const string Obsolete = "mx_group";

    internal static string ToJson(Destination destination)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("key", destination.Key.Text);
            writer.WriteString("level", destination.Policy.Level.Name());
            PolicyDocument.Write(writer, destination.Policy);
            writer.WriteString("mode", destination.Mode.Name());
            if (destination.Observe)
                writer.WriteBoolean("observe", true);
            if (destination.Floor != DiscoveryFloor.None)
                writer.WriteString("floor", destination.Floor.Name());
            if (destination.Until is { } until)
                writer.WriteNumber("until", until.Seconds());
            if (destination.Former is { } former)
            {
                writer.WriteStartObject("then");
                WriteFormer(writer, former);
                writer.WriteEndObject();
            }

            WriteList(writer, "probe_as", destination.ProbeAs);
            if (destination.Note is not null)
                writer.WriteString("note", destination.Note);
            WritePins(writer, destination.Pins);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static Destination FromJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var destination = new Destination
        {
            Key = NextHop.Parse(Text(root, "key")),
            Policy = new TlsPolicy { Level = Level(Text(root, "level")) },
            Mode = Mode(Text(root, "mode")),
        };
        var policy = destination.Policy;
        foreach (var member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "key" or "level" or "mode" or Obsolete:
                    break;
                case "observe":
                    destination = destination with { Observe = member.Value.GetBoolean() };
                    break;
                case "floor":
                    destination = destination with { Floor = Floor(member.Value.GetString()) };
                    break;
                case "until":
                    destination = destination with { Until = member.Value.GetInt64().Time() };
                    break;
                case "then":
                    destination = destination with { Former = ReadFormer(member.Value) };
                    break;
                case "probe_as":
                    destination = destination with { ProbeAs = [.. member.Value.EnumerateArray().Select(name => name.GetString()!)] };
                    break;
                case "note":
                    destination = destination with { Note = member.Value.GetString() };
                    break;
                case "pins":
                    destination = destination with { Pins = [.. member.Value.EnumerateArray().Select(ReadPin)] };
                    break;
                default:
                    policy = PolicyDocument.Add(policy, member);
                    break;
            }
        }

        return destination with { Policy = policy };
    }

    /// <summary>What an entry comes to at its end, as a column of the store: an object as it stands in the document.</summary>
    /// <returns>Null where the entry goes.</returns>
    internal static string? FormerToJson(FormerPolicy? former)
    {
        if (former is null)
            return null;
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            WriteFormer(writer, former);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static FormerPolicy? FormerFromJson(string? json)
    {
        if (json is null)
            return null;
        using var document = JsonDocument.Parse(json);
        return ReadFormer(document.RootElement);
    }

    /// <summary>True where a document is of this destination as it is, whichever version wrote it.</summary>
    internal static bool Says(string json, Destination destination)
    {
        if (json == ToJson(destination))
            return true;
        try
        {
            var said = FromJson(json);
            return said with { Pins = [.. said.Pins.Select(AsCompared)] } == destination with { Pins = [.. destination.Pins.Select(AsCompared)] };
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    internal static TlsLevel Level(string name) =>
        TlsLevels.TryParse(name, out var level) ? level : throw new FormatException($"level '{name}'");

    /// <param name="name">Null for none.</param>
    internal static DiscoveryFloor Floor(string? name) => name is null ? DiscoveryFloor.None
        : DiscoveryFloors.TryParse(name, out var floor) ? floor : throw new FormatException($"floor '{name}'");

    internal static PinMode Mode(string name) =>
        PinNames.TryParse(name, out PinMode mode) ? mode : throw new FormatException($"mode '{name}'");

    internal static Pin ToPin(string fingerprint, string? subject, string? state, string? strength, long since)
    {
        if (!Fingerprint.TryParse(fingerprint, out var parsed, out var reason))
            throw new FormatException(reason);
        if (!PinNames.TryParse(subject, out PinSubject ofWhat))
            throw new FormatException($"pin subject '{subject}'");
        if (!PinNames.TryParse(state, out PinState inState))
            throw new FormatException($"pin state '{state}'");
        if (strength is null)
            return new Pin(parsed, ofWhat, inState, null, since.Time());
        if (!PinNames.TryParse(strength, out PinStrength ofStrength))
            throw new FormatException($"pin strength '{strength}'");
        return new Pin(parsed, ofWhat, inState, ofStrength, since.Time());
    }

    private static void WriteFormer(Utf8JsonWriter writer, FormerPolicy former)
    {
        writer.WriteString("level", former.Policy.Level.Name());
        PolicyDocument.Write(writer, former.Policy);
        if (former.Floor != DiscoveryFloor.None)
            writer.WriteString("floor", former.Floor.Name());
        if (former.Observe)
            writer.WriteBoolean("observe", true);
    }

    private static FormerPolicy ReadFormer(JsonElement element)
    {
        var former = new FormerPolicy(new TlsPolicy { Level = Level(Text(element, "level")) }, DiscoveryFloor.None, Observe: false);
        foreach (var member in element.EnumerateObject())
        {
            former = member.Name switch
            {
                "level" => former,
                "floor" => former with { Floor = Floor(member.Value.GetString()) },
                "observe" => former with { Observe = member.Value.GetBoolean() },
                _ => former with { Policy = PolicyDocument.Add(former.Policy, member) },
            };
        }

        return former;
    }

    private static void WriteList(Utf8JsonWriter writer, string name, ImmutableArray<string> values)
    {
        if (values.IsDefaultOrEmpty)
            return;
        writer.WriteStartArray(name);
        foreach (var value in values)
            writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    private static void WritePins(Utf8JsonWriter writer, ImmutableArray<Pin> pins)
    {
        if (pins.IsDefaultOrEmpty)
            return;
        writer.WriteStartArray("pins");
        foreach (var pin in pins)
        {
            writer.WriteStartObject();
            writer.WriteString("fingerprint", pin.Fingerprint.Hex);
            writer.WriteString("subject", pin.Subject.Name());
            writer.WriteString("state", pin.State.Name());
            if (pin.Strength is { } strength)
                writer.WriteString("strength", strength.Name());
            writer.WriteNumber("since", pin.Since.Seconds());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static Pin ReadPin(JsonElement pin) => AsDocumented(ToPin(
        Text(pin, "fingerprint"), Text(pin, "subject"), Text(pin, "state"), pin.TryGetProperty("strength", out _) ? Text(pin, "strength") : null,
        pin.GetProperty("since").GetInt64()));

    /// <summary>The first versions called every candidate tofu, and a document does not say which version wrote it. Rows do: migration 8 saw to them.</summary>
    private static Pin AsDocumented(Pin pin) => pin is { State: PinState.Candidate, Strength: PinStrength.Tofu } ? pin with { Strength = null } : pin;

    /// <summary>A candidate that retired kept its tofu in the documents of the first versions and lost it in the rows; of a pin that somebody did trust both have it.</summary>
    private static Pin AsCompared(Pin pin) => pin is { State: PinState.Candidate or PinState.Retired, Strength: PinStrength.Tofu } ? pin with { Strength = null } : pin;

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"no {name}");
}
