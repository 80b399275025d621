using System.Text.Json;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>What <c>policyctl check --format json</c> says of a destination.</summary>
internal sealed class CheckReport(JsonElement json)
{
    /// <summary>The whole of it in words.</summary>
    public string Mail => json.GetProperty("mail").GetString()!;

    /// <summary>What it says of mail at the entry's level.</summary>
    public MailResult AtEntry(PolicyLevel level) => Result(json.GetProperty("verdict").GetString()!, level);

    /// <summary>What it says of mail at a level, without an entry.</summary>
    public MailResult At(PolicyLevel level) => Row(level) is { } row
        ? Result(row.GetProperty("verdict").GetString()!, level)
        : Mail.StartsWith("returned", StringComparison.Ordinal) ? MailResult.Returned : MailResult.Unknown;

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

    /// <summary>The public keys that it saw, asked as Postfix asks, as pins.</summary>
    public IReadOnlyList<string> Pins =>
    [
        .. json.GetProperty("observations").EnumerateArray().DistinctBy(seen => seen.GetProperty("address").GetString())
            .SelectMany(seen => seen.GetProperty("certificates").EnumerateArray())
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

    private MailResult Result(string verdict, PolicyLevel level) => verdict switch
    {
        "ok" or "degraded" => MailResult.SentOverTls,
        "mismatch" or "unreachable" => MailResult.Deferred,
        _ => Mail.StartsWith("returned", StringComparison.Ordinal) ? MailResult.Returned : MailResult.Unknown,
    };
}
