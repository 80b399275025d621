using System.Globalization;

namespace PolicyDaemon.Cli.Output;

/// <summary>Times as they are shown: ISO 8601, UTC, whole seconds.</summary>
internal static class Times
{
    internal static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
