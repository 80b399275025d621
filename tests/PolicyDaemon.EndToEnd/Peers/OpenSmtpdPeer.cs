using System.Net;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>OpenSMTPD, with one certificate: a listener takes further ones for other names only (smtpd.conf(5), <c>pki</c>).</summary>
public sealed partial class OpenSmtpdPeer(Laboratory lab, PeerSetup setup, IPAddress address) : Peer(lab, PeerProgram.OpenSmtpd, setup, address)
{
    protected override PeerLog Log => new(Ends, Quits, Complains, Said);

    protected override async Task BeginAsync()
    {
        await WriteCertificatesAsync();
        var versions = Setup switch
        {
            PeerSetup.OneEcdsaTls12 => """protocols "TLSv1.2" """,
            PeerSetup.OneEcdsaTls13 => """protocols "TLSv1.3" """,
            _ => "",
        };
        await WriteAsync("smtpd.conf", Certificates.Count == 0
            ? $"""
                listen on {Address} hostname {Host}
                match from any for any reject

                """
            : $"""
                pki {Host} cert "{Files("pem").Single()}"
                pki {Host} key "{Files("key").Single()}"
                listen on {Address} tls {versions} pki {Host} hostname {Host}
                match from any for any reject

                """);
        StartUnpacked("smtpd", "-d", "-T", "smtp", "-f", $"{Home}/smtpd.conf");
    }

    [GeneratedRegex("smtp disconnected reason=")]
    private static partial Regex Ends { get; }

    [GeneratedRegex("smtp disconnected reason=quit")]
    private static partial Regex Quits { get; }

    [GeneratedRegex("smtp disconnected reason=(?!quit)|fatal|failed-command")]
    private static partial Regex Complains { get; }

    [GeneratedRegex("<<< EHLO (.*)$")]
    private static partial Regex Said { get; }
}
