using System.Text.Json;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>What <c>policyctl check --format json</c> says of a destination.</summary>
internal sealed class CheckReport(JsonElement json)
{
    /// <summary>The whole of it in words.</summary>
    public string Mail => json.GetProperty("mail").GetString()!;

    /// <summary>What it says of mail at the entry's level.</summary>
    public IReadOnlyList<MailResult> AtEntry() => Result(json);

    /// <summary>What it says of mail at a level, without an entry.</summary>
    public IReadOnlyList<MailResult> At(PolicyLevel level) => Row(level) is { } row
        ? Result(row)
        // DNS has ended the search: what it comes to is the same at every level.
        : json.GetProperty("levels").GetArrayLength() == 0 ? Result(json) : [MailResult.Unknown];

    /// <summary>The policy that it proposes for a level: the level itself where it has nothing to say; null where it proposes none.</summary>
    public string? PolicyFor(PolicyLevel level)
    {
        if (level.Level == "fingerprint") return Pins.Count == 0 ? null : Policy(Pins);
        if (Row(level) is not { } row) return level.TakesNames ? null : level.Level;
        var names = row.GetProperty("match").EnumerateArray().Select(name => name.GetString()!).ToList();
        var policy = names.Count == 0 ? level.Level : $"{level.Level} match={string.Join(':', names)}";
        return row.GetProperty("servername").GetString() is { } name ? $"{policy} servername={name}" : policy;
    }

    /// <summary>The policy for these pins.</summary>
    public static string Policy(IEnumerable<string> pins) => "fingerprint match=" + string.Join('|', pins);

    /// <summary>The public keys that it saw without SNI, as pins.</summary>
    public IReadOnlyList<string> Pins =>
    [
        .. json.GetProperty("observations").EnumerateArray()
            .Where(observation => observation.GetProperty("sni").ValueKind == JsonValueKind.Null)
            .SelectMany(observation => observation.GetProperty("certificates").EnumerateArray())
            .Select(certificate => certificate.GetProperty("public_key_fingerprint").GetString()!).Distinct(),
    ];

    private JsonElement? Row(PolicyLevel level)
    {
        foreach (var row in json.GetProperty("levels").EnumerateArray())
        {
            if (row.GetProperty("level").GetString() == level.Level && level.TakesNames == row.GetProperty("match").GetArrayLength() > 0)
                return row;
        }

        return null;
    }

    /// <summary>Several where chance decides.</summary>
    private static List<MailResult> Result(JsonElement forecast) =>
    [
        .. forecast.GetProperty("results").EnumerateArray().Select(result => result.GetString() switch
        {
            "sent-over-tls" => MailResult.SentOverTls,
            "sent-in-plain-text" => MailResult.SentInPlainText,
            "deferred" => MailResult.Deferred,
            "returned" => MailResult.Returned,
            _ => MailResult.Unknown,
        }),
    ];
}
