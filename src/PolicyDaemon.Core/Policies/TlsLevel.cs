namespace PolicyDaemon.Core.Policies;

/// <summary>A TLS security level of the Postfix SMTP client, weakest first.</summary>
/// <remarks>
/// See postconf(5), smtp_tls_security_level. The order is Postfix's own (tls/tls_level.c) and says nothing about strength
/// across <see cref="Fingerprint"/>, <see cref="Dane"/>, <see cref="Verify"/> and <see cref="Secure"/>: compare with the
/// predicates in <see cref="TlsLevels"/>, never with <c>&lt;</c>. The numbers are stored nowhere; the names are.
/// </remarks>
public enum TlsLevel
{
    /// <summary>Plain text, always; Postfix ignores every attribute.</summary>
    None,

    /// <summary>Opportunistic: TLS where it is offered, plain text elsewhere.</summary>
    May,

    /// <summary>TLS or no delivery; the peer is not authenticated.</summary>
    Encrypt,

    /// <summary>The leaf certificate or its public key matches a pin.</summary>
    Fingerprint,

    /// <summary>Opportunistic DANE: falls back to <see cref="Encrypt"/> or <see cref="May"/> without usable TLSA records.</summary>
    Dane,

    /// <summary>DANE or no delivery.</summary>
    DaneOnly,

    /// <summary>A trusted chain that names, by default, the MX host (DNS is trusted).</summary>
    Verify,

    /// <summary>A trusted chain that names, by default, the next-hop destination.</summary>
    Secure,
}
