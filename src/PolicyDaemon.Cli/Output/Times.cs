using System.Globalization;
using System.Text.RegularExpressions;

namespace PolicyDaemon.Cli.Output;

/// <summary>Times for a person: in the zone of the machine, as its mail log has them.</summary>
/// <remarks>Sentences come with their times in UTC from where they are made, for every reader alike; here they are turned, and with the offset
/// behind them they stay what they were. Programs are told UTC always.</remarks>
internal static partial class Times
{
    /// <summary>The text with each time of the form <c>2026-11-23T12:00:00Z</c> in another zone: <c>2026-11-23T13:00:00+01:00</c>; and so those of the
    /// form <c>2026-11-23 12:00 UTC</c>.</summary>
    internal static string InZone(string text, TimeZoneInfo zone) =>
        InMinutes().Replace(
            Utc().Replace(text, match => Turned(match.Value, "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz", zone)),
            match => Turned(match.Value, "yyyy-MM-dd HH:mm 'UTC'", "yyyy-MM-dd HH:mm zzz", zone));

    private static string Turned(string text, string from, string to, TimeZoneInfo zone) =>
        DateTimeOffset.TryParseExact(text, from, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && zone.GetUtcOffset(time) != TimeSpan.Zero
            ? TimeZoneInfo.ConvertTime(time, zone).ToString(to, CultureInfo.InvariantCulture)
            : text;

    [GeneratedRegex(@"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\b")]
    private static partial Regex Utc();

    [GeneratedRegex(@"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC\b")]
    private static partial Regex InMinutes();
}
