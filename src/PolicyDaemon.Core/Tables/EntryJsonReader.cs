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
/// One object stands for an array of it. What is absent or null is at its default, as in a table. What a person does not decide about (the
/// answer, what probes saw, the candidates among the pins) is passed over; a pin without a state is served. Any other name is refused, and so
/// is a value of another kind: what was meant by a slip of the keyboard would otherwise be at its default, which can be weaker.
/// </remarks>
public static class EntryJsonReader
{
    private const string Attributes = "attributes";

    private static readonly string[] EntryMembers =
    [
        "key", "level", Attributes, "pins", .. EntryAttributes.All.Select(attribute => attribute.Name),
        // Told by domain list and domain show.
        "unicode", "answer", "answer_tlsrpt", "probed", "observations", "findings",
    ];

    private static readonly string[] PinMembers =
    [
        "fingerprint", "subject", "state", "strength",
        // Told.
        "digest", "since", "served", "left_out", "first_seen", "last_seen", "seen_at", "evidence",
    ];

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
            return [TableItem.NoText((int)(wrong.LineNumber ?? 0) + 1, new Problem($"it is no valid JSON: {JsonFault.Of(wrong, json.Span)}", ""))];
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
        catch (InvalidOperationException)
        {
            // Kinds are asked before values are; what is left is text that was not decoded when the document was parsed.
            return TableItem.Refused(place, new Problem("a text in it is no Unicode", "write it in UTF-8"));
        }
    }

    private static Destination Entry(JsonElement element, TableOptions options)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new FormatException("it is no object");
        RequireKnown(element, EntryMembers, "an entry", Word(element, "key", "") is { } written ? $"{AttributeValues.Shown(written)}: " : "");
        if (!NextHop.TryParseEntry(Text(element, "key", ""), out var key, out var reason))
            throw new FormatException(reason);
        var name = key.ToDisplayString();
        var levelName = Text(element, "level", $"{name}: ");
        if (!TlsLevels.TryParse(levelName, out var level))
            throw new FormatException($"{name}: '{AttributeValues.Shown(levelName)}' is no TLS security level{Nearest.Suggestion(levelName, TlsLevels.EntryNames)}");
        var entry = new Destination { Key = key, Policy = Policy(element, level, name), Pins = Pins(element, options, name) };
        foreach (var attribute in EntryAttributes.All)
        {
            foreach (var value in Own(element, attribute, name))
            {
                var (next, why) = attribute.Add(entry, value, options.Since);
                entry = next ?? throw new FormatException($"{name}: {attribute.Name}: {why}");
            }
        }

        return entry;
    }

    /// <exception cref="FormatException">A member has no such name, or the name of another one.</exception>
    private static void RequireKnown(JsonElement element, string[] known, string what, string place)
    {
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject().Select(member => member.Name))
        {
            if (!given.Add(member))
                throw new FormatException($"{place}'{AttributeValues.Shown(member)}' is given twice");
            if (known.Contains(member))
                continue;
            var meant = known.Contains(Attributes) && PolicyAttributes.TryFind(member, out var policy)
                ? $"; write {policy.Name} in '{Attributes}'"
                : Nearest.Suggestion(member, known);
            throw new FormatException($"{place}'{AttributeValues.Shown(member)}' is no member of {what}{meant}");
        }
    }

    private static TlsPolicy Policy(JsonElement element, TlsLevel level, string name)
    {
        var policy = new TlsPolicy { Level = level };
        if (Member(element, Attributes) is not { } attributes)
            return policy;
        if (attributes.ValueKind != JsonValueKind.Object)
            throw new FormatException($"{name}: '{Attributes}' is no object");
        var given = new HashSet<PolicyAttribute>();
        foreach (var attribute in attributes.EnumerateObject())
        {
            if (!PolicyAttributes.TryFind(attribute.Name, out var row))
            {
                throw new FormatException(
                    $"{name}: '{AttributeValues.Shown(attribute.Name)}' is no attribute of a TLS policy{Nearest.Suggestion(attribute.Name, PolicyAttributes.All.Select(known => known.Name))}");
            }

            if (!given.Add(row))
                throw new FormatException($"{name}: '{row.Name}' is given twice");
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
        if (Member(element, "pins") is not { } array)
            return pins;
        if (array.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{name}: 'pins' is no array");
        foreach (var pin in array.EnumerateArray())
        {
            if (pin.ValueKind != JsonValueKind.Object)
                throw new FormatException($"{name}: pins: one of them is no object");
            RequireKnown(pin, PinMembers, "a pin", $"{name}: pins: ");
            if (!Fingerprint.TryParse(Text(pin, "fingerprint", $"{name}: pins: "), out var fingerprint, out var reason))
                throw new FormatException($"{name}: {reason}");
            var subject = PinSubject.Unknown;
            if (Word(pin, "subject", $"{name}: pins: ") is { } of && !PinNames.TryParse(of, out subject))
                throw new FormatException($"{name}: '{AttributeValues.Shown(of)}' is nothing that a fingerprint is taken of{Nearest.Suggestion(of, PinNames.SubjectNames)}");
            var state = options.PinState;
            if (Word(pin, "state", $"{name}: pins: ") is { } given && !PinNames.TryParse(given, out state))
                throw new FormatException($"{name}: '{AttributeValues.Shown(given)}' is no state of a pin{Nearest.Suggestion(given, PinNames.StateNames)}");
            // Who writes a file vouches for its pins, but not for one that was taken as it was seen; evidence is the store's own.
            var strength = state.IsServed() && Word(pin, "strength", $"{name}: pins: ") == PinStrength.Tofu.Name() ? PinStrength.Tofu : PinStrength.Person;
            var read = new Pin(fingerprint, subject, state.IsServed() ? options.PinState : state, strength, options.Since);
            if (EntryAttributes.IsSaid(read) && pins.Find(fingerprint) is null)
                pins = pins.Add(read);
        }

        return pins;
    }

    private static string[] Own(JsonElement element, EntryAttribute attribute, string name)
    {
        if (Member(element, attribute.Name) is not { } value)
            return [];
        var values = value.ValueKind is JsonValueKind.True or JsonValueKind.False && attribute is { IsText: false, AddsUp: false }
            ? [value.GetBoolean() ? PolicyAttribute.Yes : PolicyAttribute.No]
            : Strings(value, name, attribute.Name);
        return values.Length == 1 || attribute.AddsUp ? values : throw new FormatException($"{name}: '{attribute.Name}' takes one value");
    }

    private static string[] Strings(JsonElement value, string name, string member) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(item => item.GetString()!)],
        _ => throw new FormatException($"{name}: '{AttributeValues.Shown(member)}' is no text and no array of texts"),
    };

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <returns>Null where it is absent.</returns>
    private static string? Word(JsonElement element, string member, string place) => Member(element, member) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw new FormatException($"{place}'{member}' is no text"),
    };

    private static string Text(JsonElement element, string member, string place) =>
        Word(element, member, place) ?? throw new FormatException($"{place}it has no {member}");
}
