using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary><c>secure</c> and <c>verify</c> need certification authorities to trust.</summary>
internal static class TrustAnchorCheck
{
    private static readonly string[] Sources = ["smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file"];

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var count = subject.Count(TlsLevel.Secure, TlsLevel.Verify);
        if (count == 0)
            yield break;
        var set = Sources.FirstOrDefault(source => subject.Postfix[source].Length > 0);
        if (set is not null || subject.Postfix.IsYes("tls_append_default_CA"))
            yield return new("trust-anchors", SetupSeverity.Ok, $"secure and verify trust {(set is null ? "the system's authorities" : $"{set} = {subject.Postfix[set]}")}");
        else
            yield return new(
                "trust-anchors", SetupSeverity.Problem,
                $"{count} {(count == 1 ? "entry is" : "entries are")} at secure or verify, and Postfix trusts no certification authority: that mail waits, unless each has a tafile",
                subject.Postfix.SetCommand("smtp_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt"));
    }
}
