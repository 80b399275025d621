namespace PolicyDaemon.Core.Observations;

/// <summary>The class of what a probe met. Names and RFC 8460 result types are in <see cref="ProbeOutcomes"/>.</summary>
public enum ProbeOutcome
{
    /// <summary>The handshake was finished and a certificate seen: the only outcome that says something about keys.</summary>
    Secured,

    ConnectionRefused,

    /// <summary>No route, or the network said no.</summary>
    Unreachable,

    /// <summary>A stage took longer than its limit; the stage is recorded beside it.</summary>
    Timeout,

    /// <summary>The server closed or reset the connection where a reply was due.</summary>
    ConnectionLost,

    /// <summary>4xx greeting, or 421 at any time.</summary>
    GreetingTemporary,

    /// <summary>5xx greeting.</summary>
    GreetingPermanent,

    EhloRefused,

    StartTlsNotSupported,

    /// <summary>STARTTLS offered, then answered with 454 or another refusal.</summary>
    StartTlsRefused,

    HandshakeFailed,

    /// <summary>Octets in the clear behind the 220 to STARTTLS: someone writes into the connection.</summary>
    PlaintextInjected,

    /// <summary>A line, a reply or the whole dialogue was longer than we read.</summary>
    ReplyTooLong,

    /// <summary>Something that is not SMTP.</summary>
    ProtocolError,

    /// <summary>A loopback, private or link-local address, and the configuration does not allow those.</summary>
    AddressNotAllowed,

    CertificateExpired,

    CertificateHostMismatch,

    CertificateNotTrusted,

    PinMismatch,

    TlsaMismatch,

    /// <summary>TLSA records, none of them usable (RFC 7672 section 2.1).</summary>
    TlsaInvalid,

    /// <summary>The domain does not exist, or has neither MX nor address.</summary>
    NoMx,

    /// <summary>RFC 7505: the domain takes no mail.</summary>
    NullMx,

    /// <summary>Our own lookup failed: nothing is known of the destination.</summary>
    DnsFailure,

    /// <summary>DNSSEC says that the answer was tampered with.</summary>
    Bogus,

    /// <summary>Level dane-only, and the MX host has no DNSSEC-secure TLSA record (RFC 8460 section 4.3.2.1).</summary>
    DaneRequired,

    /// <summary>TLS 1.0 or 1.1 with a signature: Postfix takes it where it encrypts, and not where it authenticates (OpenSSL 3).</summary>
    TlsTooOld,

    /// <summary>TLS without any certificate: Postfix takes it where it encrypts, and not where it authenticates.</summary>
    TlsAnonymous,
}
