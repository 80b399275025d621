namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>What happens to destinations without an entry.</summary>
internal static class DefaultLevelCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var level = subject.Postfix["smtp_tls_security_level"];
        if (level is "" or "none")
            yield return new(
                "default-level", SetupSeverity.Warning,
                "smtp_tls_security_level is off: destinations without an entry get plain text even where TLS is offered",
                subject.Postfix.SetCommand("smtp_tls_security_level", "may"));
        else
            yield return new(
                "default-level", SetupSeverity.Note,
                $"destinations without an entry get smtp_tls_security_level = {level}"
                + (level == "may" ? ": TLS where it is offered, otherwise plain text" : ""));
    }
}
