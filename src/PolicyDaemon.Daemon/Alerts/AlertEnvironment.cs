using System.Globalization;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>The environment of the alert command: a few variables that every program expects, and the alert.</summary>
internal static class AlertEnvironment
{
    // execve(2): MAX_ARG_STRLEN is 128 KiB; nobody reads a text message of that length.
    private const int MaxLength = 4096;

    // Nothing else: NOTIFY_SOCKET and WATCHDOG_USEC are between systemd and the daemon, DOTNET_ variables are its own.
    private static readonly string[] Passed = ["HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"];

    public static Dictionary<string, string> Of(AlertMessage message)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["POLICYDAEMON_EVENT"] = message.Event,
            ["POLICYDAEMON_KIND"] = message.Kind,
            ["POLICYDAEMON_SUBJECT"] = message.Subject,
            ["POLICYDAEMON_DETAIL"] = message.Detail,
            ["POLICYDAEMON_REMEDY"] = message.Remedy,
            ["POLICYDAEMON_SINCE"] = message.Since.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["POLICYDAEMON_ESCALATION"] = message.Escalation.ToString(CultureInfo.InvariantCulture),
            ["POLICYDAEMON_AFFECTS"] = message.Affects.ToString(CultureInfo.InvariantCulture),
            ["POLICYDAEMON_RESULT_TYPE"] = message.ResultType ?? "",
            ["POLICYDAEMON_EXPECTED"] = string.Join(' ', message.Expected),
            ["POLICYDAEMON_SEEN"] = string.Join(' ', message.Seen.Select(seen => seen.PublicKey).Distinct()),
            ["POLICYDAEMON_HOST"] = message.Host,
        };
        foreach (var name in Passed)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
                variables[name] = value;
        }

        return variables.ToDictionary(variable => variable.Key, variable => Clean(variable.Value), StringComparer.Ordinal);
    }

    // A variable ends at a NUL, and a script that prints a line feed makes two lines of it.
    private static string Clean(string value)
    {
        var cut = value.Length > MaxLength ? value[..MaxLength] : value;
        return string.Create(cut.Length, cut, (span, text) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(text[i]) ? ' ' : text[i];
        });
    }
}
