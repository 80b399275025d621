using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Output;

/// <summary>Times as they are shown: ISO 8601, UTC, whole seconds.</summary>
internal static class Times
{
    internal static string Text(DateTimeOffset time) => UtcTime.Text(time);
}
