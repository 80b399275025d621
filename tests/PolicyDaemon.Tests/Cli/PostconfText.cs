
using PolicyDaemon.Administration.Postfix;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What postconf(1) prints of a Postfix; a Debian one that fits, until a test changes it.</summary>
internal sealed class PostconfText
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal)
    {
        ["compatibility_level"] = "3.6",
        ["inet_protocols"] = "all",
        ["mail_version"] = "3.7.11",
        ["queue_directory"] = "/var/spool/postfix",
        ["smtp_dns_support_level"] = "",
        ["smtp_host_lookup"] = "dns",
        ["smtp_tls_CAfile"] = "/etc/ssl/certs/ca-certificates.crt",
        ["smtp_tls_fingerprint_digest"] = "sha256",
        ["smtp_tls_policy_maps"] = "socketmap:inet:127.0.0.1:8461:tlspolicy",
        ["smtp_tls_security_level"] = "may",
        ["tls_append_default_CA"] = "no",
    };

    private readonly HashSet<string> defaults = ["inet_protocols", "mail_version", "queue_directory", "smtp_dns_support_level", "smtp_host_lookup"];

    internal PostconfText(params IEnumerable<(string Parameter, string Value)> changes)
    {
        foreach (var (parameter, value) in changes)
        {
            values[parameter] = value;
            defaults.Remove(parameter);
        }
    }

    internal PostconfText WithDefault(string parameter, string value)
    {
        values[parameter] = value;
        defaults.Add(parameter);
        return this;
    }

    internal string Services { get; set; } =
        """
        smtp       inet  n       -       y       -       -       smtpd
        qmgr       unix  n       -       n       300     1       qmgr
        smtp       unix  -       -       y       -       -       smtp
        relay      unix  -       -       y       -       -       smtp -o syslog_name=postfix/$service_name
        maildrop   unix  -       n       n       -       -       pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
        """;

    internal string Overrides { get; set; } = "relay/unix/syslog_name = postfix/$service_name\n";

    internal string Expanded => string.Concat(values.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} = {pair.Value}\n"));

    internal string Explicit => string.Concat(values.Where(pair => !defaults.Contains(pair.Key)).Select(pair => $"{pair.Key} = {pair.Value}\n"));

    internal string Value(string parameter) => values[parameter];

    /// <summary>What <c>postconf -e</c> does.</summary>
    internal string Set(IEnumerable<string> assignments)
    {
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            values[assignment[..equals].Trim()] = assignment[(equals + 1)..].Trim();
            defaults.Remove(assignment[..equals].Trim());
        }

        return "";
    }

    internal PostfixConfiguration Read() => PostfixConfigurationReader.Parse(Expanded, Explicit, Services, Overrides, null);
}
