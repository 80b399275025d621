using System.Net.Security;
using MailKit;
using MailKit.Net.Smtp;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>MailKit's SMTP client with the handshake of a probe: no resumption, Postfix's SNI name, no download, every certificate accepted.</summary>
internal sealed class ProbeClient : SmtpClient
{
    private readonly string? serverName;
    private readonly TlsOffer offer;
    private readonly CertificateCapture capture;

    public ProbeClient(IProtocolLogger log, string ehloName, string? serverName, TlsOffer offer, CertificateCapture capture)
        : base(log)
    {
        LocalDomain = ehloName;
        // MailKit hands its own callback to the stream and asks this one; a callback in the options would clash with it.
        ServerCertificateValidationCallback = capture.Accept;
        CheckCertificateRevocation = false;
        this.serverName = serverName;
        this.offer = offer;
        this.capture = capture;
    }

    /// <summary>The TLS stream, from the begin of the handshake on; MailKit gives it out only after EHLO was answered over it.</summary>
    public SslStream? Tls { get; private set; }

    protected override SslClientAuthenticationOptions GetSslClientAuthenticationOptions(
        string host, RemoteCertificateValidationCallback remoteCertificateValidationCallback)
    {
        var options = base.GetSslClientAuthenticationOptions(host, remoteCertificateValidationCallback);
        // The one callback that is handed the stream and is free. There is no certificate of ours, as there is none of Postfix's.
        options.LocalCertificateSelectionCallback = (sender, _, _, _, _) =>
        {
            Tls = sender as SslStream;
            return null!;
        };
        // An empty name sends no SNI, as Postfix without a servername attribute.
        options.TargetHost = serverName ?? "";
        // A resumed session shows no certificate and would hide a renewed one.
        options.AllowTlsResume = false;
        options.AllowRenegotiation = false;
        options.CertificateChainPolicy = capture.Policy();
        offer.ApplyTo(options);
        return options;
    }
}
