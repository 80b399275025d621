using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>One attribute of an entry that no answer carries: a row of <see cref="EntryAttributes"/>.</summary>
/// <param name="Name">Compared without letter case, as those of a policy.</param>
/// <param name="Get">Its values; empty where it says what goes without saying.</param>
/// <param name="Add">The entry with one more value, where pins count from a moment, or why that is none.</param>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "As in PolicyAttribute, Postfix's word; this is no .NET attribute.")]
public sealed record EntryAttribute(
    string Name, Func<Destination, ImmutableArray<string>> Get, Func<Destination, string, DateTimeOffset, (Destination? Entry, string? Problem)> Add)
{
    /// <summary>True where the attribute may be given more than once, so that its values add up.</summary>
    public bool AddsUp { get; init; }

    /// <summary>Joins its values in one occurrence.</summary>
    public char? Separator { get; init; }

    /// <summary>Any text, written with the escapes of <see cref="EntryText"/>.</summary>
    public bool IsText { get; init; }

    /// <summary>True where the attribute says something of the entry's pins, of which a row has less than there is to know.</summary>
    public bool IsOfPins { get; init; }
}

/// <summary>What an entry is beside its policy, as attributes of a table's row.</summary>
/// <remarks>
/// <code>
/// mode=locked             locked, assist (not written) or auto
/// observe=yes             not enforced
/// floor=secure            at level discovered: encrypt, secure or dane-only
/// until=TIME              when it ends by itself, UTC: 2026-12-01T00:00:00Z
/// then=word               { then = secure match=a.example }: what it comes to then; without it the entry goes
/// probe_as=mx1|mx2        hosts to probe for a key with a leading dot
/// note=word               { note = any text }: braces where it has blanks, \n, \\ and \u{7B} where they would be misread
/// pin=HEX|HEX             pins of an entry whose level compares none; at fingerprint the policy's match has them
/// rejected=HEX|HEX        refused for good
/// revoked=HEX|HEX         taken out of service by a person
/// certificate=HEX|HEX     which of the pins are of a whole certificate
/// public_key=HEX|HEX      which are of a public key
/// tofu=HEX|HEX            which were trusted at first sight
/// </code>
/// In the order in which they are read: what names the kind of a pin comes behind what brings it. An attribute of an entry that people may
/// set is a row here, and apply, edit and export --full know it.
/// </remarks>
public static class EntryAttributes
{
    /// <summary>Hosts that are probed for one key.</summary>
    public const int MostProbeAs = 20;

    public static ImmutableArray<EntryAttribute> All { get; } =
    [
        new(
            "mode",
            entry => entry.Mode == PinMode.Assist ? [] : [entry.Mode.Name()],
            (entry, value, _) => PinNames.TryParse(value.ToLowerInvariant(), out PinMode mode)
                ? (entry with { Mode = mode }, null)
                : (null, $"'{AttributeValues.Shown(value)}' is no mode{Nearest.Suggestion(value, PinNames.ModeNames, "write one of")}")),
        new(
            "observe",
            entry => entry.Observe ? [PolicyAttribute.Yes] : [],
            (entry, value, _) => value.ToLowerInvariant() is PolicyAttribute.Yes or PolicyAttribute.No
                ? (entry with { Observe = value.Equals(PolicyAttribute.Yes, StringComparison.OrdinalIgnoreCase) }, null)
                : (null, $"'{AttributeValues.Shown(value)}' is neither yes nor no")),
        new(
            "floor",
            entry => entry.Floor == DiscoveryFloor.None ? [] : [entry.Floor.Name()],
            (entry, value, _) => DiscoveryFloors.TryParse(value, out var floor)
                ? (entry with { Floor = floor }, null)
                : (null, $"'{AttributeValues.Shown(value)}' is no floor{Nearest.Suggestion(value, DiscoveryFloors.Names, "write one of")}")),
        new("until", entry => entry.Until is { } end ? [end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)] : [], EntryEndText.AddUntil),
        new("then", entry => entry.Former is { } former ? [EntryEndText.Of(former)] : [], EntryEndText.AddThen) { IsText = true },
        new("probe_as", entry => entry.ProbeAs, AddProbeAs) { AddsUp = true, Separator = PolicyAttributes.FingerprintSeparator },
        new("note", entry => entry.Note is null ? [] : [entry.Note], AddNote) { IsText = true },
        Pins(
            "pin", entry => entry.Policy.Level.MatchesFingerprints() ? [] : entry.Pins.Where(pin => pin.IsServed),
            (pins, fingerprint, since) => pins.Find(fingerprint) is null
                ? pins.Add(new Pin(fingerprint, PinSubject.Unknown, PinState.Active, PinStrength.Person, since))
                : pins),
        Pins("rejected", entry => entry.Pins.Where(pin => pin.State == PinState.Rejected), (pins, fingerprint, since) => pins.Find(fingerprint) is null
            ? pins.Reject(fingerprint, since)
            : null),
        Pins("revoked", entry => entry.Pins.Where(pin => pin.State == PinState.Revoked), (pins, fingerprint, since) => pins.Find(fingerprint) is null
            ? pins.Revoke(fingerprint, since)
            : null),
        Pins("certificate", entry => Said(entry, PinSubject.Certificate), (pins, fingerprint, _) => Of(pins, fingerprint, PinSubject.Certificate)),
        Pins("public_key", entry => Said(entry, PinSubject.PublicKey), (pins, fingerprint, _) => Of(pins, fingerprint, PinSubject.PublicKey)),
        Pins(
            "tofu", entry => entry.Pins.Where(pin => pin is { IsServed: true, Strength: PinStrength.Tofu }),
            (pins, fingerprint, _) => pins.Find(fingerprint) is { IsServed: true } pin ? pins.Replace(pin, pin with { Strength = PinStrength.Tofu }) : null),
    ];

    /// <summary>The value of an attribute that has one at most; null where it says what goes without saying.</summary>
    public static string? Text(string name, Destination entry) => All.First(attribute => attribute.Name == name).Get(entry) is [var value, ..] ? value : null;

    /// <summary>True for a pin that a row has; the others are the prober's own, or history.</summary>
    public static bool IsSaid(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return pin.IsServed || pin.State.IsRefused();
    }

    private static EntryAttribute Pins(
        string name, Func<Destination, IEnumerable<Pin>> get, Func<ImmutableArray<Pin>, Fingerprint, DateTimeOffset, ImmutableArray<Pin>?> add) => new(
        name,
        entry => [.. get(entry).Select(pin => pin.Fingerprint.Hex)],
        (entry, value, since) => AddPin(entry, value, since, add, name))
    {
        AddsUp = true,
        Separator = PolicyAttributes.FingerprintSeparator,
        IsOfPins = true,
    };

    private static (Destination?, string?) AddPin(
        Destination entry, string value, DateTimeOffset since, Func<ImmutableArray<Pin>, Fingerprint, DateTimeOffset, ImmutableArray<Pin>?> add, string name)
    {
        if (!Fingerprint.TryParse(value, out var fingerprint, out var reason))
            return (null, reason);
        return add(entry.Pins, fingerprint, since) is { } pins
            ? (entry with { Pins = pins }, null)
            : (null, $"{fingerprint} is {(name is "rejected" or "revoked" ? "a pin of this row, too" : "no pin of this row")}");
    }

    /// <summary>The pins of one subject that a row says, in the order in which rows bring them, so that an entry is written alike wherever it was read.</summary>
    private static IEnumerable<Pin> Said(Destination entry, PinSubject subject) =>
        entry.Pins.Where(pin => IsSaid(pin) && pin.Subject == subject).OrderBy(pin => pin.State switch
        {
            PinState.Rejected => 1,
            PinState.Revoked => 2,
            _ => 0,
        });

    private static ImmutableArray<Pin>? Of(ImmutableArray<Pin> pins, Fingerprint fingerprint, PinSubject subject) =>
        pins.Find(fingerprint) is { } pin && (pin.Subject == PinSubject.Unknown || pin.Subject == subject)
            ? pins.Replace(pin, pin with { Subject = subject })
            : null;

    /// <summary>The host of a mail server that is named for probes of a key with a leading dot.</summary>
    public static bool TryProbeAs(string name, out string host)
    {
        var isHost = NextHop.TryParse(name, out var key, out _) && key is { IsSubdomains: false, IsBracketed: false, IsPath: false, Port: null }
            && (!key.Text.Contains(':', StringComparison.Ordinal) || IPAddress.TryParse(key.Text, out _));
        host = isHost ? key.Host : "";
        return isHost;
    }

    private static (Destination?, string?) AddNote(Destination entry, string value, DateTimeOffset since) =>
        // No store keeps it: to SQLite it ends a text, and PostgreSQL refuses it.
        value.Contains('\0', StringComparison.Ordinal)
            ? (null, "it has a NUL character, which cannot be stored")
            : (entry with { Note = value.Length == 0 ? null : value }, null);

    private static (Destination?, string?) AddProbeAs(Destination entry, string value, DateTimeOffset since)
    {
        if (!entry.Key.IsSubdomains)
            return (null, "it is for keys with a leading dot; this one is probed where its mail goes");
        if (!TryProbeAs(value, out var host))
            return (null, $"'{AttributeValues.Shown(value)}' is no name of a mail server");
        if (entry.ProbeAs.Contains(host))
            return (entry, null);
        return entry.ProbeAs.Length < MostProbeAs
            ? (entry with { ProbeAs = entry.ProbeAs.Add(host) }, null)
            : (null, string.Create(CultureInfo.InvariantCulture, $"it takes {MostProbeAs} names at most"));
    }
}

/// <summary>Text in a row of a table, where blanks, commas, braces and line ends mean something.</summary>
internal static class EntryText
{
    /// <summary>Escapes a text so that it may stand in braces and is read back as it is.</summary>
    internal static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        var runes = text.EnumerateRunes().ToList();
        for (var i = 0; i < runes.Count; i++)
        {
            var rune = runes[i];
            // What trims a value, ends a group, or is folded on the way in.
            var isEdge = rune.Value == ' ' && (i == 0 || i == runes.Count - 1);
            if (rune.Value == '\\')
                escaped.Append(@"\\");
            else if (rune.Value == '\n')
                escaped.Append(@"\n");
            else if (rune.Value == '\t')
                escaped.Append(@"\t");
            else if (isEdge || rune.Value is '{' or '}' || rune.Value != ' ' && IsUnsafe(rune))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X4}}}");
            else
                escaped.Append(rune);
        }

        return escaped.ToString();
    }

    /// <summary>The text that was escaped.</summary>
    /// <returns>Null where a backslash begins nothing that is known.</returns>
    internal static string? Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                plain.Append(text[i]);
                continue;
            }

            switch (++i < text.Length ? text[i] : '\0')
            {
                case '\\':
                    plain.Append('\\');
                    break;
                case 'n':
                    plain.Append('\n');
                    break;
                case 't':
                    plain.Append('\t');
                    break;
                case 'u' when Code(text, ref i) is { } rune:
                    plain.Append(rune);
                    break;
                default:
                    return null;
            }
        }

        return plain.ToString();
    }

    private static Rune? Code(string text, ref int at)
    {
        var end = text.IndexOf('}', at);
        if (end < 0 || end - at > 10 || text[at + 1] != '{'
            || !int.TryParse(text.AsSpan(at + 2, end - at - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || !Rune.IsValid(value))
            return null;
        at = end;
        return new Rune(value);
    }

    private static bool IsUnsafe(Rune rune) => Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
