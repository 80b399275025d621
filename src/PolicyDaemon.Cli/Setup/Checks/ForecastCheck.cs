using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>What forecasts of mail and probes take from our configuration and Postfix from its own: the two should say the same.</summary>
internal static class ForecastCheck
{
    // Where distributions keep the system's authorities: Debian, Red Hat, SUSE, Alpine.
    private static readonly string[] SystemBundles =
    [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
    ];

    // postconf(5); in the order in which they matter to a mail.
    private static readonly string[] Unknown =
    [
        "smtp_fallback_relay", "smtp_randomize_addresses", "smtp_balance_inet_protocols", "smtp_mx_session_limit",
        "smtp_skip_5xx_greeting", "smtp_always_send_ehlo", "smtp_never_send_ehlo", "smtp_discard_ehlo_keywords", "smtp_discard_ehlo_keyword_address_maps",
        "smtp_reply_filter", "smtp_tls_wrappermode", "smtp_tls_ciphers", "smtp_tls_mandatory_ciphers", "smtp_tls_exclude_ciphers",
        "smtp_tls_mandatory_exclude_ciphers", "tls_medium_cipherlist", "tls_high_cipherlist", "tls_ssl_options", "smtp_tls_servername",
        "smtp_tls_secure_cert_match", "smtp_tls_verify_cert_match", "smtp_tls_trust_anchor_file", "smtp_tls_scert_verifydepth",
        "smtp_tls_force_insecure_host_tlsa_lookup", "smtp_tls_enable_rpk",
    ];

    private static readonly string[] SystemFolders = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

    /// <summary>The keys of [postfix] that repeat main.cf.</summary>
    internal static IEnumerable<SetupResult> MainCf(SetupSubject subject)
    {
        var (different, unsaid) = (new List<string>(), new List<string>());
        foreach (var key in ConfigurationKeys.OfMainCf)
        {
            var theirs = Value(subject.Postfix, key.Parameter!);
            if (!subject.Postfix.Has(key.Parameter!) || Line(key, theirs) is not { } line)
                continue;
            var isSaid = !subject.Settings.AssumedOfMainCf.Contains(key.Name);
            if (!IsSame(subject.Settings, key, line))
                different.Add(line);
            else if (!isSaid)
                unsaid.Add(line);
        }

        if (different.Count > 0)
            yield return new(
                "forecast", SetupSeverity.Warning,
                $"check, explain and verdicts go by other settings than Postfix; {Write(subject, "postfix", [.. different, .. unsaid])}");
        else if (unsaid.Count > 0)
            yield return new("forecast", SetupSeverity.Note, $"what forecasts assume of main.cf is so; to have it said: {Write(subject, "postfix", unsaid)}");
        else
            yield return new("forecast", SetupSeverity.Ok, "check, explain and verdicts go by the settings of main.cf");
    }

    /// <summary>Parameters that change what mail meets and that forecasts know nothing of.</summary>
    internal static IEnumerable<SetupResult> Unregarded(SetupSubject subject)
    {
        var set = Unknown.Where(parameter => subject.Postfix.Explicit.Contains(parameter)
            || subject.Postfix.SmtpClients.Any(service => service.Name == "smtp" && service.Overrides.ContainsKey(parameter)))
            .Where(parameter => Value(subject.Postfix, parameter).Length > 0).ToList();
        if (set.Count > 0)
            yield return new(
                "unregarded", SetupSeverity.Note,
                $"check, explain and verdicts do not regard {string.Join(", ", set.Select(parameter => $"{parameter} = {Value(subject.Postfix, parameter)}"))}: where it decides, Postfix may do otherwise");
    }

    /// <summary>The authorities by which chains are judged.</summary>
    internal static IEnumerable<SetupResult> Authorities(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        var (file, folder, adds) = (postfix["smtp_tls_CAfile"], postfix["smtp_tls_CApath"], postfix.IsYes("tls_append_default_CA"));
        var ours = subject.Settings.Probe.CaFile.Text;
        if (file.Length + folder.Length == 0 && !adds)
        {
            // With entries at these levels it is a problem of its own.
            if (subject.Count(TlsLevel.Secure, TlsLevel.Verify) == 0)
                yield return new(
                    "authorities", SetupSeverity.Note,
                    "Postfix trusts no certification authority: at secure and verify mail would wait, whatever check says of them",
                    postfix.SetCommand("smtp_tls_CAfile", SystemBundles[0]));
            yield break;
        }

        var isSystems = file.Length + folder.Length == 0 || (file.Length == 0 || SystemBundles.Contains(file)) && (folder.Length == 0 || SystemFolders.Contains(folder.TrimEnd('/')));
        var isSame = ours.Length == 0 ? isSystems : file == ours && folder.Length == 0 && !adds;
        var theirs = string.Join(
            " and ",
            new[] { file.Length > 0 ? $"smtp_tls_CAfile = {file}" : null, folder.Length > 0 ? $"smtp_tls_CApath = {folder}" : null, adds ? "the system's authorities" : null }.OfType<string>());
        if (isSame)
            yield return new("authorities", SetupSeverity.Ok, $"probes judge certificates as Postfix does, by {theirs}");
        else
            yield return new(
                "authorities", SetupSeverity.Warning,
                $"Postfix trusts {theirs} and probes judge by {(ours.Length == 0 ? "the system's authorities" : ours)}: of secure and verify check may say what Postfix does not do; "
                + (folder.Length == 0 && !adds ? Write(subject, "probe", [$"ca_file = {file}"])
                    : isSystems ? Write(subject, "probe", ["ca_file ="])
                    : "gather the same authorities in one file, and name it in smtp_tls_CAfile and in ca_file of [probe]"));
    }

    /// <summary>The name in EHLO, by which some servers tell good clients from bad ones.</summary>
    internal static IEnumerable<SetupResult> HeloName(SetupSubject subject)
    {
        var theirs = Value(subject.Postfix, "smtp_helo_name");
        if (theirs.Length == 0 || theirs.Contains('$', StringComparison.Ordinal))
            yield break;
        var ours = subject.Settings.Probe.HeloName ?? subject.HostName;
        if (string.Equals(theirs, ours, StringComparison.OrdinalIgnoreCase))
            yield return new("helo-name", SetupSeverity.Ok, $"probes say EHLO {theirs}, as Postfix does");
        else
            yield return new(
                "helo-name", SetupSeverity.Warning,
                $"Postfix says EHLO {theirs} and probes say EHLO {ours}: servers may treat a probe otherwise than mail; {Write(subject, "probe", [$"helo_name = {theirs}"])}");
    }

    /// <summary>The value for the transport that most mail goes by, which may override main.cf.</summary>
    private static string Value(PostfixConfiguration postfix, string parameter) =>
        postfix.SmtpClients.FirstOrDefault(service => service.Name == "smtp") is { } client ? postfix.For(client, parameter) : postfix[parameter];

    /// <summary>What our configuration should say; null where it cannot be repeated there.</summary>
    private static string? Line(ConfigurationKey key, string theirs)
    {
        var value = key.Name switch
        {
            "security_level" when theirs.Length == 0 => "none",
            "inet_protocols" => string.Join(' ', PostfixList.Split(theirs).Order(StringComparer.Ordinal)) switch { "ipv4 ipv6" => "all", var one => one },
            _ => theirs,
        };
        return SettingsReader.TryParse($"[{key.Section}]\n{key.Name} = {value}\n") is null ? null : $"{key.Name} = {value}".TrimEnd();
    }

    private static bool IsSame(Settings settings, ConfigurationKey key, string line) =>
        SettingsReader.TryParse($"[{key.Section}]\n{line}\n") is { } theirs && theirs.OfMainCf(key) == (settings with { AssumedOfMainCf = [] }).OfMainCf(key);

    private static string Write(SetupSubject subject, string section, IReadOnlyList<string> lines) =>
        $"in [{section}] of {subject.Settings.File ?? SettingsReader.DefaultFile} write: {string.Join("; ", lines)}";
}
