using System.Globalization;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Moments as people write them: <c>90m</c>, <c>2h</c>, <c>7d</c> before or after now, a date, a date with a time.</summary>
internal static class Moments
{
    private static readonly string[] Dates = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"];

    private static readonly string[] WithOffset = ["yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz"];

    // Further back nothing was recorded, and a longer number would leave the calendar.
    private const double MostDays = 36_500;

    /// <summary>Reads a moment of the past.</summary>
    internal static bool TryParse(string text, TimeProvider time, out DateTimeOffset moment) => TryParse(text, time, -1, out moment);

    /// <summary>Reads a moment of the future.</summary>
    internal static bool TryParseFuture(string text, TimeProvider time, out DateTimeOffset moment) => TryParse(text, time, 1, out moment);

    private static bool TryParse(string text, TimeProvider time, int direction, out DateTimeOffset moment)
    {
        if (text.Length > 1 && Unit(text[^1]) is { } unit && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
        {
            var days = count * unit;
            moment = days <= MostDays ? time.GetUtcNow() + (direction * TimeSpan.FromDays(days)) : default;
            return days <= MostDays;
        }

        if (DateTimeOffset.TryParseExact(text, WithOffset, CultureInfo.InvariantCulture, DateTimeStyles.None, out moment))
            return true;
        var isUtc = text.EndsWith('Z');
        moment = default;
        if (!DateTime.TryParseExact(isUtc ? text[..^1] : text, Dates, CultureInfo.InvariantCulture, DateTimeStyles.None, out var written))
            return false;
        var zone = isUtc ? TimeZoneInfo.Utc : time.LocalTimeZone;
        // An hour that the clock skipped in spring is the one behind it.
        moment = new DateTimeOffset(written, zone.GetUtcOffset(written));
        return true;
    }

    private static double? Unit(char unit) => unit switch
    {
        's' => 1.0 / 86_400,
        'm' => 1.0 / 1440,
        'h' => 1.0 / 24,
        'd' => 1,
        'w' => 7,
        _ => null,
    };
}
