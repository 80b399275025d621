using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Observations;

/// <summary>The class of what a probe met, down from its lookups in DNS. Names and RFC 8460 result types are in <see cref="ProbeOutcomes"/>.</summary>
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

    /// <summary>A key or a signature that OpenSSL's security level 1 does not take: RSA below 1024 bits, SHA-1, MD5.</summary>
    CertificateTooWeak,
}

/// <summary>What each outcome is called and what may be concluded from it.</summary>
public static class ProbeOutcomes
{
    private static readonly StoredNames<ProbeOutcome> Stored = new(
        (ProbeOutcome.Secured, "secured"), (ProbeOutcome.ConnectionRefused, "connection-refused"),
        (ProbeOutcome.Unreachable, "unreachable"), (ProbeOutcome.Timeout, "timeout"), (ProbeOutcome.ConnectionLost, "connection-lost"),
        (ProbeOutcome.GreetingTemporary, "greeting-temporary"), (ProbeOutcome.GreetingPermanent, "greeting-permanent"),
        (ProbeOutcome.EhloRefused, "ehlo-refused"), (ProbeOutcome.StartTlsNotSupported, "starttls-not-supported"),
        (ProbeOutcome.StartTlsRefused, "starttls-refused"), (ProbeOutcome.HandshakeFailed, "handshake-failed"),
        (ProbeOutcome.PlaintextInjected, "plaintext-injected"), (ProbeOutcome.ReplyTooLong, "reply-too-long"),
        (ProbeOutcome.ProtocolError, "protocol-error"), (ProbeOutcome.AddressNotAllowed, "address-not-allowed"),
        (ProbeOutcome.CertificateExpired, "certificate-expired"), (ProbeOutcome.CertificateHostMismatch, "certificate-host-mismatch"),
        (ProbeOutcome.CertificateNotTrusted, "certificate-not-trusted"), (ProbeOutcome.PinMismatch, "pin-mismatch"),
        (ProbeOutcome.TlsaMismatch, "tlsa-mismatch"), (ProbeOutcome.TlsaInvalid, "tlsa-invalid"), (ProbeOutcome.NoMx, "no-mx"),
        (ProbeOutcome.NullMx, "null-mx"), (ProbeOutcome.DnsFailure, "dns-failure"), (ProbeOutcome.Bogus, "dnssec-invalid"),
        (ProbeOutcome.DaneRequired, "dane-required"), (ProbeOutcome.TlsTooOld, "tls-too-old"),
        (ProbeOutcome.TlsAnonymous, "tls-anonymous"), (ProbeOutcome.CertificateTooWeak, "certificate-too-weak"));

    public static string Name(this ProbeOutcome outcome) => Stored.Of(outcome);

    public static bool TryParse([NotNullWhen(true)] string? name, out ProbeOutcome outcome) => Stored.TryParse(name, out outcome);

    /// <summary>The result type of RFC 8460 section 4.3 that names this failure; null where it has none.</summary>
    public static string? ResultType(this ProbeOutcome outcome) => outcome switch
    {
        ProbeOutcome.StartTlsNotSupported or ProbeOutcome.CertificateExpired or ProbeOutcome.CertificateHostMismatch or
            ProbeOutcome.CertificateNotTrusted or ProbeOutcome.TlsaInvalid or ProbeOutcome.Bogus or
            ProbeOutcome.DaneRequired => outcome.Name(),
        ProbeOutcome.StartTlsRefused => "starttls-not-supported",
        ProbeOutcome.CertificateTooWeak => "certificate-not-trusted",
        ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected or ProbeOutcome.PinMismatch or ProbeOutcome.TlsaMismatch or
            ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous => "validation-failure",
        _ => null,
    };

    /// <summary>True where the server's certificate was seen, or its reply to EHLO without STARTTLS. Only such an outcome may touch a pin or a verdict.</summary>
    public static bool IsConclusive(this ProbeOutcome outcome) =>
        outcome is ProbeOutcome.Secured or ProbeOutcome.StartTlsNotSupported;

    /// <summary>True where no server was met: the way to it is why mail is not taken, and not the server. What is no SMTP is as good as out of reach.</summary>
    public static bool IsOfTheWay(this ProbeOutcome outcome) => outcome is ProbeOutcome.ConnectionRefused or ProbeOutcome.Unreachable
        or ProbeOutcome.Timeout or ProbeOutcome.ConnectionLost or ProbeOutcome.GreetingTemporary or ProbeOutcome.GreetingPermanent
        or ProbeOutcome.ProtocolError or ProbeOutcome.AddressNotAllowed or ProbeOutcome.DnsFailure;

    /// <summary>True where nothing is known of what the server would show: it was not met, or refused STARTTLS, which it offers.</summary>
    public static bool ShowsNothing(this ProbeOutcome outcome) => outcome.IsOfTheWay() || outcome == ProbeOutcome.StartTlsRefused;

    /// <summary>True where a server asks to be left alone for a while: 421 and 4xx (RFC 5321 section 4.2.1).</summary>
    public static bool AsksForPatience(this ProbeOutcome outcome) =>
        outcome is ProbeOutcome.GreetingTemporary or ProbeOutcome.StartTlsRefused;
}
