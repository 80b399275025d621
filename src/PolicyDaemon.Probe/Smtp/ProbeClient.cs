using System.Net.Security;
using System.Security.Authentication;
using MailKit;
using MailKit.Net.Smtp;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>MailKit's client with our handshake: full, with Postfix's SNI, nothing downloaded, nothing refused.</summary>
internal sealed class ProbeClient : SmtpClient
{
    private readonly string? serverName;
    private readonly KeyAlgorithm? only;
    private readonly CertificateCapture capture;

    public ProbeClient(IProtocolLogger log, string ehloName, string? serverName, KeyAlgorithm? only, CertificateCapture capture)
        : base(log)
    {
        LocalDomain = ehloName;
        // MailKit hands its own callback to the stream and asks this one; a callback in the options would clash with it.
        ServerCertificateValidationCallback = capture.Accept;
        CheckCertificateRevocation = false;
        this.serverName = serverName;
        this.only = only;
        this.capture = capture;
    }

    protected override SslClientAuthenticationOptions GetSslClientAuthenticationOptions(
        string host, RemoteCertificateValidationCallback remoteCertificateValidationCallback)
    {
        var options = base.GetSslClientAuthenticationOptions(host, remoteCertificateValidationCallback);
        // An empty name sends no SNI, as Postfix without a servername attribute.
        options.TargetHost = serverName ?? "";
        // A resumed session shows no certificate and would hide a renewed one.
        options.AllowTlsResume = false;
        options.AllowRenegotiation = false;
        options.CertificateChainPolicy = capture.Policy();
        // SYSLIB0039, CA5397: old versions are Postfix's choice too (smtp_tls_mandatory_protocols = >=TLSv1); we look, and send no mail.
#pragma warning disable SYSLIB0039, CA5397
        options.EnabledSslProtocols = only is null
            ? SslProtocols.Tls | SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13
            : SslProtocols.Tls12;
#pragma warning restore SYSLIB0039, CA5397
        options.CipherSuitesPolicy = only is { } algorithm ? AlgorithmSuites.For(algorithm) : null;
        return options;
    }
}
