using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.Certificates;

/// <summary>What Postfix's verification of a chain asks beside signatures, dates and names, and .NET's does not or does in another way.</summary>
/// <remarks>
/// smtp_tls_scert_verifydepth of postconf(5), whose default of 9 is taken; OpenSSL, crypto/x509/v3_purp.c, check_purpose_ssl_server, which
/// is asked of every certificate up to the anchor: extendedKeyUsage, where there is one, names id-kp-serverAuth (RFC 5280 section 4.2.1.12) or
/// an older word for it; anyExtendedKeyUsage does not do. .NET judges policies of issuance together with it (RFC 5280 section 6.1,
/// explicit-policy), for which OpenSSL has to be asked, and Postfix does not ask.
/// </remarks>
internal static class ChainRules
{
    // Issuers below the one that is trusted. Postfix 3.7 to 3.10 take ten and refuse eleven with smtp_tls_scert_verifydepth = 9.
    private const int MostIntermediates = 10;

    private const string NetscapeCertificateType = "2.16.840.1.113730.1.1";
    private const int NetscapeServer = 0x40;

    // id-kp-serverAuth, and server-gated cryptography as Microsoft and Netscape named it (XKU_SSL_SERVER, XKU_SGC).
    private static readonly string[] ForServers = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];

    /// <summary>What the chain is refused for, in words.</summary>
    /// <param name="chain">The chain, the server's own certificate first.</param>
    /// <param name="anchor">The place of the issuer that is trusted.</param>
    /// <returns>Null where nothing is wrong.</returns>
    internal static string? Problem(X509Chain chain, int anchor)
    {
        if (Purpose(chain.ChainElements[0].Certificate) is { } problem)
            return problem;
        for (var depth = 0; depth <= anchor && depth < chain.ChainElements.Count; depth++)
        {
            if (!IsForServers(chain.ChainElements[depth].Certificate))
                return $"not designated for use {(depth == 0 ? "as a server certificate" : "by an issuer of server certificates")}: its extendedKeyUsage has no serverAuth";
        }

        var intermediates = 0;
        for (var depth = 1; depth <= anchor && depth < chain.ChainElements.Count; depth++)
        {
            var issuer = chain.ChainElements[depth].Certificate;
            if (!issuer.SubjectName.RawData.AsSpan().SequenceEqual(issuer.IssuerName.RawData))
                intermediates++;
        }

        return intermediates <= MostIntermediates ? null : $"certificate chain longer than smtp_tls_scert_verifydepth allows: {intermediates} intermediates";
    }

    private static bool IsForServers(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>())
        {
            if (!extension.EnhancedKeyUsages.Cast<Oid>().Any(purpose => ForServers.Contains(purpose.Value)))
                return false;
        }

        return true;
    }

    private static string? Purpose(X509Certificate2 server)
    {
        const X509KeyUsageFlags ForTls = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment | X509KeyUsageFlags.KeyAgreement;
        foreach (var extension in server.Extensions)
        {
            if (extension is X509KeyUsageExtension usage && (usage.KeyUsages & ForTls) == 0)
                return "not designated for use as a server certificate: its keyUsage has neither digitalSignature nor keyEncipherment nor keyAgreement";
            if (extension.Oid?.Value == NetscapeCertificateType && !IsNetscapeServer(extension.RawData))
                return "not designated for use as a server certificate: its Netscape certificate type says so";
        }

        return null;
    }

    // A BIT STRING of at most eight bits: tag, length, unused bits, bits.
    private static bool IsNetscapeServer(byte[] data) => data is [3, >= 2, _, var bits, ..] && (bits & NetscapeServer) != 0;
}
