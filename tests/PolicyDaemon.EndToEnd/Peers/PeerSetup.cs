namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>How a mail server is set up.</summary>
public enum PeerSetup
{
    /// <summary>An RSA and an ECDSA certificate of the laboratory's CA.</summary>
    TwoCertificates,

    /// <summary>One certificate, of the laboratory's CA, with an RSA key.</summary>
    OneRsa,

    /// <summary>One certificate, self-signed, with an ECDSA key, and nothing newer than TLS 1.2.</summary>
    OneEcdsaTls12,

    /// <summary>One certificate of the laboratory's CA, with an ECDSA key and for another name, and TLS 1.3 only.</summary>
    OneEcdsaTls13,

    /// <summary>No STARTTLS.</summary>
    WithoutTls,

    /// <summary>One certificate, and a refusal of EHLO once TLS is on.</summary>
    RefusesEhloOverTls,
}

/// <summary>The mail server's program.</summary>
public enum PeerProgram
{
    Postfix,

    /// <summary>Postfix behind postscreen(8), with a two-line greeting and the deep protocol tests.</summary>
    Postscreen,

    Exim,

    Sendmail,

    OpenSmtpd,

    /// <summary>Python's aiosmtpd.</summary>
    Aiosmtpd,

    /// <summary>smtp-server on Node.js.</summary>
    SmtpServer,
}
