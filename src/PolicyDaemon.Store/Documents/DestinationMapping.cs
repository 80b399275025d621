using System.Collections.Immutable;
using System.Text.Json;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store.Documents;

/// <summary>Between a destination, its rows and its JSON. A value that this version does not know is a <see cref="FormatException"/>.</summary>
internal static class DestinationMapping
{
    internal static DestinationDocument ToDocument(Destination destination) => new()
    {
        Key = destination.Key.Text,
        Level = destination.Policy.Level.Name(),
        Match = List(destination.Policy.Match),
        Ciphers = destination.Policy.Ciphers,
        Protocols = destination.Policy.Protocols,
        Exclude = destination.Policy.Exclude,
        ServerName = destination.Policy.ServerName,
        TaFiles = List(destination.Policy.TaFiles),
        ConnectionReuse = destination.Policy.ConnectionReuse,
        EnableRpk = destination.Policy.EnableRpk,
        TlsRpt = ToDocument(destination.Policy.TlsRpt),
        Mode = destination.Mode.Name(),
        Observe = destination.Observe,
        ProbeAs = List(destination.ProbeAs),
        Note = destination.Note,
        Pins = destination.Pins.IsDefaultOrEmpty ? null : [.. destination.Pins.Select(ToDocument)],
    };

    internal static string ToJson(Destination destination) =>
        JsonSerializer.Serialize(ToDocument(destination), StoreJson.Default.DestinationDocument);

    /// <summary>True where a document is of this destination as it is, whichever version wrote it.</summary>
    internal static bool Says(string json, Destination destination)
    {
        if (json == ToJson(destination))
            return true;
        try
        {
            return FromJson(json) == destination;
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            return false;
        }
    }

    internal static Destination FromJson(string json)
    {
        var document = JsonSerializer.Deserialize(json, StoreJson.Default.DestinationDocument)
            ?? throw new FormatException("an empty destination");
        return new Destination
        {
            Key = NextHop.Parse(document.Key),
            Policy = new TlsPolicy
            {
                Level = Level(document.Level),
                Match = [.. document.Match ?? []],
                Ciphers = document.Ciphers,
                Protocols = document.Protocols,
                Exclude = document.Exclude,
                ServerName = document.ServerName,
                TaFiles = [.. document.TaFiles ?? []],
                ConnectionReuse = document.ConnectionReuse,
                EnableRpk = document.EnableRpk,
                TlsRpt = FromDocument(document.TlsRpt),
            },
            Pins = [.. (document.Pins ?? []).Select(pin => ToPin(pin.Fingerprint, pin.Subject, pin.State, pin.Strength, pin.Since))],
            Mode = Mode(document.Mode),
            Observe = document.Observe,
            ProbeAs = [.. document.ProbeAs ?? []],
            Note = document.Note,
        };
    }

    internal static Destination FromRow(DestinationRow row, IEnumerable<Pin> pins) => new()
    {
        Key = NextHop.Parse(row.Key),
        Policy = new TlsPolicy
        {
            Level = Level(row.Level),
            Match = ReadList(row.MatchNames),
            Ciphers = row.Ciphers,
            Protocols = row.Protocols,
            Exclude = row.Exclude,
            ServerName = row.Servername,
            TaFiles = ReadList(row.Tafile),
            ConnectionReuse = row.ConnectionReuse is { } reuse ? reuse != 0 : null,
            EnableRpk = row.EnableRpk is { } rpk ? rpk != 0 : null,
            TlsRpt = row.Tlsrpt is null ? null : FromDocument(JsonSerializer.Deserialize(row.Tlsrpt, StoreJson.Default.TlsRptDocument)),
        },
        Pins = [.. pins],
        Mode = Mode(row.Mode),
        Observe = row.Observe != 0,
        ProbeAs = ReadList(row.ProbeAs),
        Note = row.Note,
    };

    internal static Pin ToPin(string fingerprint, string? subject, string? state, string? strength, long since)
    {
        if (!Fingerprint.TryParse(fingerprint, out var parsed, out var reason))
            throw new FormatException(reason);
        if (!PinNames.TryParse(subject, out PinSubject ofWhat))
            throw new FormatException($"pin subject '{subject}'");
        if (!PinNames.TryParse(state, out PinState inState))
            throw new FormatException($"pin state '{state}'");
        return PinNames.TryParse(strength, out PinStrength ofStrength)
            ? new Pin(parsed, ofWhat, inState, ofStrength, DateTimeOffset.FromUnixTimeSeconds(since))
            : throw new FormatException($"pin strength '{strength}'");
    }

    internal static string? WriteList(ImmutableArray<string> values) =>
        List(values) is { } list ? JsonSerializer.Serialize(list, StoreJson.Default.StringArray) : null;

    internal static string? WriteTlsRpt(TlsRptAttributes? attributes) =>
        ToDocument(attributes) is { } document ? JsonSerializer.Serialize(document, StoreJson.Default.TlsRptDocument) : null;

    private static ImmutableArray<string> ReadList(string? json) =>
        json is null ? [] : [.. JsonSerializer.Deserialize(json, StoreJson.Default.StringArray) ?? []];

    private static string[]? List(ImmutableArray<string> values) => values.IsDefaultOrEmpty ? null : [.. values];

    private static TlsLevel Level(string name) =>
        TlsLevels.TryParse(name, out var level) ? level : throw new FormatException($"level '{name}'");

    private static PinMode Mode(string name) =>
        PinNames.TryParse(name, out PinMode mode) ? mode : throw new FormatException($"mode '{name}'");

    private static PinDocument ToDocument(Pin pin) => new(
        pin.Fingerprint.Hex, pin.Subject.Name(), pin.State.Name(), pin.Strength.Name(), pin.Since.ToUnixTimeSeconds());

    private static TlsRptDocument? ToDocument(TlsRptAttributes? attributes) => attributes is null
        ? null
        : new(attributes.PolicyType, attributes.PolicyDomain, List(attributes.PolicyStrings), List(attributes.MxHostPatterns), attributes.PolicyFailure);

    private static TlsRptAttributes? FromDocument(TlsRptDocument? document) => document is null
        ? null
        : new(document.PolicyType, document.PolicyDomain, [.. document.PolicyString ?? []], [.. document.MxHostPattern ?? []], document.PolicyFailure);
}
