using System.Globalization;

namespace PolicyDaemon.Administration.Metrics;

/// <summary>Which format a client is sent, by the header Accept of its request (RFC 9110 section 12.5.1), and what that is called.</summary>
/// <remarks>Prometheus names OpenMetrics first; a browser and curl name neither, and are sent what a person reads in both.</remarks>
public static class MetricsNegotiation
{
    private const string OpenMetrics = "application/openmetrics-text";
    private const string Text = "text/plain";

    /// <summary>OpenMetrics where the client names it and prefers it to plain text, or names only it; otherwise the format of Prometheus.</summary>
    /// <param name="accept">The header; null or empty where there is none.</param>
    public static MetricsFormat Choose(string? accept)
    {
        var (openMetrics, text) = (0.0, 0.0);
        foreach (var range in (accept ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0)
                continue;
            if (parts[0].Equals(OpenMetrics, StringComparison.OrdinalIgnoreCase) && IsKnown(parts))
                openMetrics = Math.Max(openMetrics, Weight(parts));
            else if (parts[0].Equals(Text, StringComparison.OrdinalIgnoreCase))
                text = Math.Max(text, Weight(parts));
        }

        return openMetrics > 0 && openMetrics >= text ? MetricsFormat.OpenMetrics : MetricsFormat.Prometheus;
    }

    /// <summary>The content type of a format.</summary>
    public static string ContentType(MetricsFormat format) => format == MetricsFormat.OpenMetrics
        ? OpenMetrics + "; version=1.0.0; charset=utf-8"
        : Text + "; version=0.0.4; charset=utf-8";

    // 0.0.1 is a draft's, which differs; without a version any will do.
    private static bool IsKnown(string[] parts) => Parameter(parts, "version") is null or "1.0.0";

    private static double Weight(string[] parts) =>
        double.TryParse(Parameter(parts, "q"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight) ? weight : 1;

    private static string? Parameter(string[] parts, string name) => parts.Skip(1).Select(part => part.Split('=', 2))
        .FirstOrDefault(pair => pair.Length == 2 && pair[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))?[1].Trim(' ', '"');
}
