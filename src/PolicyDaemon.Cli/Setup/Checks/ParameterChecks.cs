using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Checks of one parameter of main.cf each.</summary>
internal static class ParameterChecks
{
    private static readonly string[] TrustAnchorSources = ["smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file"];

    /// <summary>What happens to destinations without an entry.</summary>
    internal static IEnumerable<SetupResult> DefaultLevel(SetupSubject subject)
    {
        var level = subject.Postfix["smtp_tls_security_level"];
        if (level is "" or "none")
            yield return new(
                "default-level", SetupSeverity.Warning,
                "smtp_tls_security_level is off: destinations without an entry get plain text even where TLS is offered",
                subject.Postfix.SetCommand("smtp_tls_security_level", "may"));
        else if (!TlsLevels.TryParseOfPostfix(level, out _))
            yield return new(
                "default-level", SetupSeverity.Problem,
                $"smtp_tls_security_level = {level} is no level, and the SMTP client of Postfix does not start: all mail waits"
                + (level.Contains('#', StringComparison.Ordinal) ? "; behind a value there is no comment, it takes a line of its own (postconf(5))" : ""),
                subject.Postfix.SetCommand("smtp_tls_security_level", Meant(level)));
        else
            yield return new(
                "default-level", SetupSeverity.Note,
                $"destinations without an entry get smtp_tls_security_level = {level}"
                + (level == "may" ? ": TLS where it is offered, otherwise plain text" : ""));
    }

    /// <summary>The first word of a value that is no level, where that is one; else <c>may</c>.</summary>
    private static string Meant(string value) =>
        value.Split([' ', '\t', '#'], 2)[0] is var word && TlsLevels.TryParseOfPostfix(word, out _) ? word : "may";

    /// <summary><c>secure</c> and <c>verify</c> need certification authorities to trust.</summary>
    internal static IEnumerable<SetupResult> TrustAnchors(SetupSubject subject)
    {
        var count = subject.Count(TlsLevel.Secure, TlsLevel.Verify);
        var discovers = subject.Settings.Discovery is { Mode: DiscoveryMode.On, MtaSts: true };
        if (count == 0 && !discovers)
            yield break;
        var set = TrustAnchorSources.FirstOrDefault(source => subject.Postfix[source].Length > 0);
        if (set is not null || subject.Postfix.IsYes("tls_append_default_CA"))
            yield return new("trust-anchors", SetupSeverity.Ok, $"secure and verify trust {(set is null ? "the system's authorities" : $"{set} = {subject.Postfix[set]}")}");
        else
            yield return new(
                "trust-anchors", SetupSeverity.Problem,
                $"{(count == 0 ? "destinations with an MTA-STS policy are" : count == 1 ? "1 entry is" : $"{count} entries are")} at secure or verify, and Postfix trusts no certification authority: that mail waits, unless each has a tafile",
                subject.Postfix.SetCommand("smtp_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt"));
    }

    /// <summary>From 3.10 on any author can switch TLS policies off with a message header, unless that is switched off.</summary>
    internal static IEnumerable<SetupResult> TlsRequired(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        if (postfix.Version is not { } version || version < new PostfixVersion(3, 10))
            yield break;
        if (postfix.IsYes("tls_required_enable"))
            yield return new(
                "tls-required", SetupSeverity.Warning,
                "a message with the header 'TLS-Required: no' is sent without asking for a policy, at most opportunistically encrypted, and any author can add it",
                postfix.SetCommand("tls_required_enable", "no"));
        else
            yield return new("tls-required", SetupSeverity.Ok, "'TLS-Required: no' is not honoured; policies hold for every message");
    }

    /// <summary>Internationalised names are mapped alike on both sides (postconf(5), enable_idna2003_compatibility; UTS #46 section 4).</summary>
    internal static IEnumerable<SetupResult> Idna(SetupSubject subject)
    {
        if (subject.Postfix.IsYes("enable_idna2003_compatibility"))
            yield return new(
                "idna", SetupSeverity.Warning,
                "enable_idna2003_compatibility is on: Postfix looks up ss where a name has \u00df, and policyd keeps them apart, so such a domain is answered as another one",
                subject.Postfix.SetCommand("enable_idna2003_compatibility", "no"));
    }
}
