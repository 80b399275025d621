using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>From 3.10 on any author can switch TLS policies off with a message header, unless that is switched off.</summary>
internal static class TlsRequiredCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
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
}
