using PolicyDaemon.Administration.Postfix;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Whether the SMTP server offers TLS to partners: its level, as main.cf and master.cf have it for port 25.</summary>
public static class ServerTlsCheck
{
    private const string Name = "server";
    private const string Level = "smtpd_tls_security_level";

    /// <param name="postfix">The configuration.</param>
    /// <param name="identities">The certificates of the server.</param>
    public static IEnumerable<DoctorFinding> Judge(PostfixConfiguration postfix, IReadOnlyList<OwnIdentity> identities)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        ArgumentNullException.ThrowIfNull(identities);
        var listening = postfix.Services.Where(IsOnPort25).ToList();
        if (listening.Count == 0 || postfix.List("inet_interfaces") is ["loopback-only"] or ["localhost"] or ["127.0.0.1"])
        {
            yield return DoctorFinding.Note(Name, "this Postfix takes no mail from outside on port 25, so that no partner sees its server half");
            yield break;
        }

        foreach (var service in listening)
        {
            yield return Of(postfix, service);
        }

        if (identities.Count == 0)
        {
            yield return DoctorFinding.Warning(
                Name, "the SMTP server has no certificate (smtpd_tls_chain_files, smtpd_tls_cert_file): partners that verify, pin or use DANE cannot send to it. This makes a key with a certificate, deploys nothing, and says how to go on (postfix-tls(1))",
                postfix.PostfixCommand("tls new-server-key"));
        }
    }

    /// <summary>smtpd(8), or postscreen(8) before it, where mail of others comes in.</summary>
    private static bool IsOnPort25(PostfixService service)
    {
        var port = service.Name[(service.Name.LastIndexOf(':') + 1)..];
        return service is { Type: "inet", Program: "smtpd" or "postscreen" } && port is "smtp" or "25";
    }

    private static DoctorFinding Of(PostfixConfiguration postfix, PostfixService service)
    {
        var parameter = service.Program == "postscreen" && postfix["postscreen_tls_security_level"].Length > 0 ? "postscreen_tls_security_level" : Level;
        var level = postfix.For(service, parameter);
        var shown = $"{service.FullName}: {parameter} = {(level.Length == 0 ? "(empty)" : level)}";
        string[] remedy = service.Overrides.ContainsKey(parameter)
            ? [postfix.RemoveOverrideCommand(service, parameter), postfix.SetCommand(parameter, "may").Text, postfix.ReloadCommand]
            : [postfix.SetCommand(parameter, "may").Text, postfix.ReloadCommand];
        return level switch
        {
            // smtpd(8): without a level the old parameters count.
            "" when postfix.IsYes("smtpd_use_tls") || postfix.IsYes("smtpd_enforce_tls") => DoctorFinding.Ok(Name, $"{shown}, and smtpd_use_tls or smtpd_enforce_tls offers TLS"),
            "" or "none" => DoctorFinding.Warning(Name, $"{shown}: STARTTLS is not offered, so that partners' mail comes in plain text, and mail of those who enforce TLS waits there", remedy),
            "encrypt" => DoctorFinding.Note(Name, $"{shown}: mail of senders without TLS is refused; a server for the public must not (RFC 3207 section 4)"),
            _ => DoctorFinding.Ok(Name, $"{shown}: partners are offered STARTTLS"),
        };
    }
}
