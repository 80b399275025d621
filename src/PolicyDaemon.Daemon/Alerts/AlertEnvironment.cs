using System.Globalization;
using PolicyDaemon.Core.Runtime;

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
            ["POLICYDAEMON_KIND"] = message.Finding.Kind,
            ["POLICYDAEMON_SUBJECT"] = message.Finding.Subject,
            ["POLICYDAEMON_DETAIL"] = message.Finding.Detail,
            ["POLICYDAEMON_REMEDY"] = message.Finding.Remedy,
            ["POLICYDAEMON_SINCE"] = UtcTime.Text(message.Finding.Since),
            ["POLICYDAEMON_ESCALATION"] = message.Escalation.ToString(CultureInfo.InvariantCulture),
            ["POLICYDAEMON_AFFECTS"] = message.Finding.Affects.ToString(CultureInfo.InvariantCulture),
            ["POLICYDAEMON_RESULT_TYPE"] = message.Finding.ResultType ?? "",
            ["POLICYDAEMON_EXPECTED"] = string.Join(' ', message.Finding.Expected),
            ["POLICYDAEMON_SEEN"] = string.Join(' ', message.Finding.Seen.Select(seen => seen.PublicKeyFingerprint).Distinct()),
            ["POLICYDAEMON_HOST"] = message.Host,
            ["POLICYDAEMON_WAITING"] = message.WaitingMessages?.ToString(CultureInfo.InvariantCulture) ?? "",
            ["POLICYDAEMON_RETURNED_AT"] = message.ReturnedAt is { } end ? UtcTime.Text(end) : "",
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
