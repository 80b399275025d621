using System.Collections.Immutable;
using System.Text.Json;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>Reads entries as JSON, in the shape that <c>domain list --format json</c> writes.</summary>
/// <remarks>
/// <code>
/// [{"key":"example.com","level":"fingerprint","attributes":{"ciphers":["high"]},"mode":"locked","observe":false,
///   "note":"...","probe_as":["mx.example.com"],"pins":[{"fingerprint":"...","subject":"public-key","state":"active"}]}]
/// </code>
/// One object stands for an array of it. What is absent is at its default, as in a table. Names that a person does not decide about (the
/// answer, what probes saw, the candidates among the pins) are passed over; a pin without a state is served.
/// </remarks>
public static class EntryJsonReader
{
    /// <summary>True where a source is JSON: its first character begins an object, or an array of objects or of nothing.</summary>
    /// <remarks>A table, too, can begin with a bracket; then a host follows.</remarks>
    public static bool IsJson(ReadOnlySpan<byte> head)
    {
        var text = head.TrimStart(" \t\r\n"u8);
        return text.StartsWith("{"u8) || (text.StartsWith("["u8) && text[1..].TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)']', ..]);
    }

    /// <summary>Reads every entry; an item's line is its place in the array, from 1.</summary>
    public static IReadOnlyList<TableItem> Read(ReadOnlyMemory<byte> json, TableOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var keys = new HashSet<string>(StringComparer.Ordinal);
            return root.ValueKind == JsonValueKind.Object
                ? [Read(root, 1, options, keys)]
                : [.. root.EnumerateArray().Select((element, index) => Read(element, index + 1, options, keys))];
        }
        catch (JsonException wrong)
        {
            return [TableItem.NoText((int)(wrong.LineNumber ?? 0) + 1, new Problem("it is no valid JSON", wrong.Message.Split(" LineNumber", 2)[0].TrimEnd('.')))];
        }
    }

    private static TableItem Read(JsonElement element, int place, TableOptions options, HashSet<string> keys)
    {
        try
        {
            var entry = Entry(element, options);
            return keys.Add(entry.Key.Text) ? TableItem.Row(place, entry) : TableItem.Refused(place, new Problem($"{entry.Key} stands there twice", "remove one of the two"));
        }
        catch (FormatException wrong)
        {
            return TableItem.Refused(place, new Problem(wrong.Message));
        }
    }

    private static Destination Entry(JsonElement element, TableOptions options)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new FormatException("it is no object");
        if (!NextHop.TryParse(Text(element, "key"), out var key, out var reason))
            throw new FormatException(reason);
        var name = key.ToDisplayString();
        var levelName = Text(element, "level");
        if (!TlsLevels.TryParse(levelName, out var level))
            throw new FormatException($"{name}: '{AttributeValues.Shown(levelName)}' is no TLS security level{Nearest.Suggestion(levelName, TlsLevels.Names)}");
        var entry = new Destination { Key = key, Policy = Policy(element, level, name), Pins = Pins(element, options, name) };
        foreach (var attribute in EntryAttributes.All)
        {
            foreach (var value in Own(element, attribute.Name, name))
            {
                var (next, why) = attribute.Add(entry, value, options.Since);
                entry = next ?? throw new FormatException($"{name}: {attribute.Name}: {why}");
            }
        }

        return entry;
    }

    private static TlsPolicy Policy(JsonElement element, TlsLevel level, string name)
    {
        var policy = new TlsPolicy { Level = level };
        foreach (var attribute in Member(element, "attributes") is { ValueKind: JsonValueKind.Object } attributes ? attributes.EnumerateObject().ToList() : [])
        {
            if (!PolicyAttributes.TryFind(attribute.Name, out var row))
                throw new FormatException($"{name}: '{AttributeValues.Shown(attribute.Name)}' is no attribute of a TLS policy");
            var values = Strings(attribute.Value, name, attribute.Name);
            if (values.Length > 1 && row.Repeats == Repetition.Refused)
                throw new FormatException($"{name}: {row.Name} is given more than once; Postfix takes it once");
            foreach (var value in values)
            {
                if (row.Check(value, PostfixVersion.Newest) is { } problem)
                    throw new FormatException($"{name}: {problem.At(row.Name)}");
                policy = row.Add(policy, row.Fold(value));
            }
        }

        return policy;
    }

    private static ImmutableArray<Pin> Pins(JsonElement element, TableOptions options, string name)
    {
        var pins = ImmutableArray<Pin>.Empty;
        foreach (var pin in Member(element, "pins") is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray().ToList() : [])
        {
            if (!Fingerprint.TryParse(Text(pin, "fingerprint"), out var fingerprint, out var reason))
                throw new FormatException($"{name}: {reason}");
            var subject = PinSubject.Unknown;
            if (Member(pin, "subject") is { } of && !PinNames.TryParse(of.GetString(), out subject))
                throw new FormatException($"{name}: '{AttributeValues.Shown(of.GetString() ?? "")}' is nothing that a fingerprint is taken of");
            var state = options.PinState;
            if (Member(pin, "state") is { } given && !PinNames.TryParse(given.GetString(), out state))
                throw new FormatException($"{name}: '{AttributeValues.Shown(given.GetString() ?? "")}' is no state of a pin");
            var read = new Pin(fingerprint, subject, state.IsServed() ? options.PinState : state, PinStrength.Person, options.Since);
            if (EntryAttributes.IsSaid(read) && pins.Find(fingerprint) is null)
                pins = pins.Add(read);
        }

        return pins;
    }

    private static string[] Own(JsonElement element, string member, string name) => Member(element, member) switch
    {
        { ValueKind: JsonValueKind.True } => [PolicyAttribute.Yes],
        { ValueKind: JsonValueKind.False } => [PolicyAttribute.No],
        { ValueKind: JsonValueKind.String } text => [text.GetString()!],
        { } other => Strings(other, name, member),
        null => [],
    };

    private static string[] Strings(JsonElement value, string name, string member) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(item => item.GetString()!)],
        _ => throw new FormatException($"{name}: {AttributeValues.Shown(member)} is no text and no array of texts"),
    };

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text
        ? text.GetString()!
        : throw new FormatException($"it has no {name}");
}
