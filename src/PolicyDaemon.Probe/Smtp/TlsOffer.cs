using System.Net.Security;
using System.Security.Authentication;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>What a probe offers in its TLS handshake: Postfix's own offer, or a part of it.</summary>
/// <remarks>
/// <code>
/// versions    smtp_tls_protocols and smtp_tls_mandatory_protocols = >=TLSv1
/// suites      tls_medium_cipherlist = aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH, in the order of OpenSSL 3, without the suites that
///             need a key shared before (PSK, SRP), which Postfix has none of
/// security    OpenSSL's security level 0, as Postfix at may and encrypt; where it authenticates, it takes level 1 (tls/tls_client.c)
/// </code>
/// .NET's own offer is narrower: no RSA key exchange, no finite-field Diffie-Hellman, no Camellia, ARIA or CCM, and OpenSSL's security
/// level of the machine, which rules TLS 1.0 and 1.1 out. With it, a server that Postfix sends mail to looks like one without TLS.
/// The suites without authentication are offered in a handshake of their own, after the others failed: a server that has them may
/// choose one of them and show no certificate.
/// </remarks>
internal sealed class TlsOffer
{
    private static readonly TlsCipherSuite[] Suites =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_CCM_8,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_CCM,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384,
        TlsCipherSuite.TLS_DHE_DSS_WITH_ARIA_256_GCM_SHA384,
        TlsCipherSuite.TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_256_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384,
        TlsCipherSuite.TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA,
        TlsCipherSuite.TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_CCM_8,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_CCM,
        TlsCipherSuite.TLS_RSA_WITH_ARIA_256_GCM_SHA384,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_RSA_WITH_CAMELLIA_256_CBC_SHA,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CCM_8,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CCM,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_ARIA_128_GCM_SHA256,
        TlsCipherSuite.TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_DHE_DSS_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA,
        TlsCipherSuite.TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA,
        TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_AES_128_CCM_8,
        TlsCipherSuite.TLS_RSA_WITH_AES_128_CCM,
        TlsCipherSuite.TLS_RSA_WITH_ARIA_128_GCM_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_RSA_WITH_CAMELLIA_128_CBC_SHA,
    ];

    private static readonly TlsCipherSuite[] SuitesWithoutCertificate =
    [
        TlsCipherSuite.TLS_DH_anon_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_DH_anon_WITH_AES_256_CBC_SHA256,
        TlsCipherSuite.TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256,
        TlsCipherSuite.TLS_ECDH_anon_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_DH_anon_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA,
        TlsCipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_DH_anon_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDH_anon_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_DH_anon_WITH_AES_128_CBC_SHA,
        TlsCipherSuite.TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA,
    ];

    // SYSLIB0039, CA5397: old versions are Postfix's choice; the probe looks, and sends no mail.
#pragma warning disable SYSLIB0039, CA5397
    private const SslProtocols FromTls10 = SslProtocols.Tls | SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13;
    private const SslProtocols UpToTls12 = SslProtocols.Tls | SslProtocols.Tls11 | SslProtocols.Tls12;
#pragma warning restore SYSLIB0039, CA5397

    private readonly SslProtocols versions;
    private readonly TlsCipherSuite[] suites;

    private TlsOffer(SslProtocols versions, IEnumerable<TlsCipherSuite> suites)
    {
        this.versions = versions;
        this.suites = [.. suites];
    }

    /// <summary>Postfix's offer at the levels at which the server must present a certificate.</summary>
    public static TlsOffer Postfix { get; } = new(FromTls10, Suites);

    /// <summary>The offer of a Postfix whose main.cf allows TLS 1.2 at most.</summary>
    public static TlsOffer WithoutTls13 { get; } = new(UpToTls12, Suites);

    /// <summary>The suites in which the server presents no certificate; Postfix takes them at may and encrypt. TLS 1.3 has none.</summary>
    public static TlsOffer WithoutCertificate { get; } = new(UpToTls12, SuitesWithoutCertificate);

    /// <summary>An offer that makes a server show a certificate of one key algorithm where it has one, and lets it show its other one where not.</summary>
    /// <remarks>
    /// In TLS 1.2 and below the suite names the certificate's algorithm. First come all suites of the one that is asked for; behind them
    /// those with AES-128 of the other, so that a server without finishes the handshake all the same: one that failed would leave an error
    /// in its log. Whether a server goes by our order or by its own, the strongest first, it takes the certificate that is asked for
    /// where it has it. In TLS 1.3 only signature_algorithms names it, which .NET cannot set; so the other certificate of a server that
    /// speaks TLS 1.3 only stays unseen, and is never taken for absent.
    /// </remarks>
    public static TlsOffer Rather(KeyAlgorithm algorithm) => algorithm == KeyAlgorithm.Rsa ? RatherRsa : RatherEcdsa;

    private static TlsOffer RatherRsa { get; } = new(UpToTls12, [.. Of("_RSA_"), .. Of("_ECDSA_").Where(IsAes128)]);

    private static TlsOffer RatherEcdsa { get; } = new(UpToTls12, [.. Of("_ECDSA_"), .. Of("_RSA_").Where(IsAes128)]);

    private static IEnumerable<TlsCipherSuite> Of(string algorithm) => Suites.Where(suite => suite.ToString().Contains(algorithm, StringComparison.Ordinal));

    private static bool IsAes128(TlsCipherSuite suite) => suite.ToString().Contains("_AES_128_", StringComparison.Ordinal);

    /// <summary>Applies the offer to the options of a handshake.</summary>
    public void ApplyTo(SslClientAuthenticationOptions options)
    {
        options.EnabledSslProtocols = versions;
        options.CipherSuitesPolicy = new CipherSuitesPolicy(suites);
        // SYSLIB0040: this is .NET's word for OpenSSL's security level 0. No suite without encryption is in the list.
#pragma warning disable SYSLIB0040
        options.EncryptionPolicy = EncryptionPolicy.AllowNoEncryption;
#pragma warning restore SYSLIB0040
    }

    /// <summary>
    /// True where Postfix would refuse this handshake at a level at which it authenticates: at OpenSSL's security level 1 there is no
    /// signature below TLS 1.2 that is strong enough (it is MD5 and SHA-1). RSA key exchange needs none, and goes through.
    /// </summary>
    public static bool IsTooOldToAuthenticate(SslProtocols version, TlsCipherSuite suite) =>
        (version & UpToTls12 & ~SslProtocols.Tls12) != 0 && !suite.ToString().StartsWith("TLS_RSA_", StringComparison.Ordinal);
}
