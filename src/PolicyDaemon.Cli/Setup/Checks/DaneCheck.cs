using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary><c>dane</c> without DNSSEC is <c>may</c>, with a warning in the log and the mail sent; <c>dane-only</c> waits.</summary>
internal static class DaneCheck
{
    private const string InsecureMx = "smtp_tls_dane_insecure_mx_policy";

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        var dane = subject.Count(TlsLevel.Dane);
        var daneOnly = subject.Count(TlsLevel.DaneOnly);
        var discovery = subject.Settings.Discovery is { Mode: DiscoveryMode.On, Dane: true };
        if (dane + daneOnly == 0 && !discovery)
            yield break;
        var effect = string.Join(
            " and ",
            new[]
            {
                dane > 0 ? $"{dane} at dane: sent at may, perhaps in plain text" : null,
                daneOnly > 0 ? $"{daneOnly} at dane-only: mail waits" : null,
                discovery ? "every destination that is discovered at dane-only: mail waits" : null,
            }.OfType<string>());
        var problems = 0;
        foreach (var (isWrong, text, command) in Requirements(postfix))
        {
            if (!isWrong)
                continue;
            problems++;
            yield return new("dane", SetupSeverity.Problem, $"{text} ({effect})", command);
        }

        if (problems == 0)
            yield return new("dane", SetupSeverity.Ok, "DNSSEC is on; Postfix trusts the AD bit of its resolver, which must validate and be local");
        if ((dane > 0 || discovery) && IgnoresTlsaOfInsecureMx(postfix))
            yield return new(
                "dane", SetupSeverity.Warning,
                $"this Postfix ({postfix["mail_version"]}) has {InsecureMx} = may unless main.cf itself is at dane: TLSA records of an MX found without DNSSEC are ignored",
                postfix.SetCommand(InsecureMx, "dane"));
    }

    // tls_dane_avail and dane_init in smtp/smtp_tls_policy.c
    private static IEnumerable<(bool IsWrong, string Text, SetupCommand Command)> Requirements(PostfixConfiguration postfix) =>
    [
        (postfix["smtp_dns_support_level"] != "dnssec", "smtp_dns_support_level is not dnssec",
            postfix.SetCommand("smtp_dns_support_level", "dnssec")),
        (postfix["smtp_host_lookup"].Length > 0 && !postfix.List("smtp_host_lookup").Contains("dns"), "smtp_host_lookup lacks dns",
            postfix.SetCommand("smtp_host_lookup", "dns")),
        (postfix.IsYes("ignore_mx_lookup_error"), "ignore_mx_lookup_error is on",
            postfix.SetCommand("ignore_mx_lookup_error", "no")),
        (postfix.List("smtp_dns_resolver_options").Any(option => option is "res_defnames" or "res_dnsrch"),
            "smtp_dns_resolver_options appends a default domain", postfix.SetCommand("smtp_dns_resolver_options", "")),
    ];

    // RELEASE_NOTES: the default was "may" in 3.6.0 to 3.6.16, 3.7.0 to 3.7.12, 3.8.0 to 3.8.7, 3.9.0 and 3.9.1.
    private static bool IgnoresTlsaOfInsecureMx(PostfixConfiguration postfix)
    {
        if (postfix.Explicit.Contains(InsecureMx) || postfix["smtp_tls_security_level"] == "dane" || postfix.Version is not { Major: 3 } version)
            return false;
        var lastAffected = version.Minor switch { 6 => 16, 7 => 12, 8 => 7, 9 => 1, _ => -1 };
        return postfix.PatchLevel <= lastAffected;
    }
}
