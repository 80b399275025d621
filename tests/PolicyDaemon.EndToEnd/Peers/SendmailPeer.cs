using System.Net;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>Sendmail.</summary>
public sealed partial class SendmailPeer(Laboratory lab, PeerSetup setup, IPAddress address) : Peer(lab, PeerProgram.Sendmail, setup, address)
{
    private SyslogSocket? _log;

    public override IReadOnlyList<string> Lines => _log?.Lines ?? [];

    protected override PeerLog Log => new(Ends, Quits, Complains, Said);

    protected override async Task BeginAsync()
    {
        await WriteCertificatesAsync();
        File.Copy(Lab.Certificates.AuthorityFile, Path.Combine(Folder, "ca.pem"), overwrite: true);
        Directory.CreateDirectory(Path.Combine(Folder, "queue"));
        Directory.CreateDirectory(Path.Combine(Folder, "dev"));
        _log = new SyslogSocket(Path.Combine(Folder, "dev", "log"));
        var versions = Setup switch
        {
            PeerSetup.OneEcdsaTls12 => "+SSL_OP_NO_TLSv1_3",
            PeerSetup.OneEcdsaTls13 => "+SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1 +SSL_OP_NO_TLSv1_2",
            _ => "",
        };
        var tls = $"""
            define(`confSERVER_CERT', `{string.Join(',', Files("pem"))}')dnl
            define(`confSERVER_KEY', `{string.Join(',', Files("key"))}')dnl
            define(`confCACERT', `{Home}/ca.pem')dnl
            define(`confCACERT_PATH', `{Home}')dnl
            define(`confTLS_SRV_OPTIONS', `V')dnl
            define(`confSERVER_SSL_OPTIONS', `{versions}')dnl
            """;
        await WriteAsync("sendmail.mc", $"""
            divert(-1)dnl
            include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
            divert(0)dnl
            OSTYPE(`debian')dnl
            define(`confDOMAIN_NAME', `{Host}')dnl
            define(`confPID_FILE', `{Home}/pid')dnl
            define(`confCONTROL_SOCKET_NAME', `')dnl
            define(`confHOST_STATUS_DIRECTORY', `{Home}')dnl
            define(`QUEUE_DIR', `{Home}/queue')dnl
            define(`STATUS_FILE', `{Home}/statistics')dnl
            define(`ALIAS_FILE', `')dnl
            define(`confLOG_LEVEL', `16')dnl
            define(`confDONT_PROBE_INTERFACES', `True')dnl
            dnl It would not listen on a machine that is busy.
            define(`confREFUSE_LA', `10000')dnl
            define(`confQUEUE_LA', `10000')dnl
            {(Certificates.Count == 0 ? "" : tls)}
            FEATURE(`no_default_msa')dnl
            FEATURE(`greet_pause', `500')dnl
            DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr={Address}, Port=25')dnl
            MAILER(`local')dnl
            MAILER(`smtp')dnl

            """);
        StartUnpacked("sh", "-c", "m4 sendmail.mc >sendmail.cf && exec /usr/libexec/sendmail/sendmail -bD -C$PWD/sendmail.cf");
    }

    [GeneratedRegex("did not issue MAIL/EXPN/VRFY/ETRN|lost input channel")]
    private static partial Regex Ends { get; }

    [GeneratedRegex(": <-- QUIT$")]
    private static partial Regex Quits { get; }

    [GeneratedRegex("STARTTLS=server, error|lost input|pre-greeting|SYSERR|unsafe|timeout")]
    private static partial Regex Complains { get; }

    [GeneratedRegex(": <-- EHLO (.*)$")]
    private static partial Regex Said { get; }
}
