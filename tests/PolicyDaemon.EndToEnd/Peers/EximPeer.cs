using System.Net;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>Exim 4, with GnuTLS as Debian builds it.</summary>
public sealed partial class EximPeer(Laboratory lab, PeerSetup setup, IPAddress address) : Peer(lab, PeerProgram.Exim, setup, address)
{
    private LogFile? _log;

    public override IReadOnlyList<string> Lines => _log?.Lines ?? [];

    protected override PeerLog Log => new(Ends, Quits, Complains, Said);

    protected override async Task BeginAsync()
    {
        _log = new LogFile(Path.Combine(Folder, "mainlog"));
        await WriteCertificatesAsync();
        var versions = Setup switch
        {
            PeerSetup.OneEcdsaTls12 => "NORMAL:-VERS-ALL:+VERS-TLS1.2",
            PeerSetup.OneEcdsaTls13 => "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            _ => "NORMAL",
        };
        var tls = $"""
            tls_advertise_hosts = *
            tls_certificate = {string.Join(" : ", Files("pem"))}
            tls_privatekey = {string.Join(" : ", Files("key"))}
            tls_require_ciphers = {versions}
            """;
        await WriteAsync("exim.conf", $$"""
            primary_hostname = {{Host}}
            local_interfaces = {{Address}}
            daemon_smtp_ports = 25
            spool_directory = {{Home}}/spool
            log_file_path = {{Home}}/%slog
            log_selector = +all
            keep_environment =
            notifier_socket =
            {{(Certificates.Count == 0 ? "tls_advertise_hosts =" : tls)}}
            acl_smtp_helo = helo
            begin acl
            helo:
              {{(Setup == PeerSetup.RefusesEhloOverTls ? "deny condition = ${if def:tls_in_cipher}" : "")}}
              accept

            """);
        // The daemon gives its rights up before it reads keys and writes its log.
        StartUnpacked("sh", "-c", $"chown Debian-exim: . {string.Join(' ', Files("key"))} && exec exim4 -C $PWD/exim.conf -bdf");
    }

    // A line for the end, and one more for what was said, where no mail came.
    [GeneratedRegex(" no MAIL in SMTP connection from ")]
    private static partial Regex Ends { get; }

    [GeneratedRegex(" no MAIL in SMTP connection from .* C=.*,QUIT$")]
    private static partial Regex Quits { get; }

    [GeneratedRegex("TLS error|unexpected|lost|syntax|protocol error|panic|rror:")]
    private static partial Regex Complains { get; }

    [GeneratedRegex(@"(?: H=| SMTP connection from )\((.*?)\) ")]
    private static partial Regex Said { get; }
}
