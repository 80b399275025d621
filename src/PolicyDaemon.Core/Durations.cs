using System.Globalization;

namespace PolicyDaemon.Core;

/// <summary>Durations as the configuration writes them, <c>1500ms 30s 15m 4h 14d</c>, and as a sentence says them, <c>48 hours</c>.</summary>
public static class Durations
{
    /// <summary>Reads a whole number with one of the units ms, s, m, h, d.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan span)
    {
        span = default;
        if (text.EndsWith("ms", StringComparison.Ordinal))
        {
            var isNumber = int.TryParse(text[..^2], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds);
            span = TimeSpan.FromMilliseconds(milliseconds);
            return isNumber;
        }

        if (text.Length < 2 || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        long? seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => null };
        // A hundred years: what is longer is a slip, and would not fit.
        if (seconds is not { } unit || number * unit > 36525L * 86400)
            return false;
        span = TimeSpan.FromSeconds(number * unit);
        return true;
    }

    /// <summary>The shortest form that <see cref="TryParse"/> reads back; parts of a second are cut, except of less than ten seconds.</summary>
    public static string ToText(this TimeSpan span)
    {
        if (span > TimeSpan.Zero && span < TimeSpan.FromSeconds(10) && span.Milliseconds > 0)
            return string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds}ms");
        var seconds = span.Ticks / TimeSpan.TicksPerSecond;
        var (number, unit) = seconds switch
        {
            0 => (0, 's'),
            _ when seconds % 86400 == 0 && seconds > 86400 * 2 => (seconds / 86400, 'd'),
            _ when seconds % 3600 == 0 => (seconds / 3600, 'h'),
            _ when seconds % 60 == 0 => (seconds / 60, 'm'),
            _ => (seconds, 's'),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");
    }

    /// <summary>The duration for a sentence: <c>48 hours</c>, <c>14 days</c>.</summary>
    public static string ToLongText(this TimeSpan span)
    {
        var text = TimeSpan.FromSeconds((long)span.TotalSeconds).ToText();
        var unit = text[^1] switch { 's' => "seconds", 'm' => "minutes", 'h' => "hours", _ => "days" };
        return $"{text[..^1]} {(text[..^1] == "1" ? unit[..^1] : unit)}";
    }
}
