namespace PolicyDaemon.Core.Observations;

/// <summary>What the TLSA records of an MX host come to, whatever its server shows (postfix: smtp/smtp_tls_policy.c, dane_init).</summary>
public enum TlsaState
{
    /// <summary>There are none that DNSSEC secures.</summary>
    None,

    /// <summary>Some of them are usable for SMTP.</summary>
    Usable,

    /// <summary>There are, and none is usable.</summary>
    Unusable,

    /// <summary>The lookup failed or was bogus: Postfix passes over the host.</summary>
    Failed,

    /// <summary>No trusted resolver was asked, and none were seen.</summary>
    NoneKnown,

    /// <summary>There are some, and no trusted resolver says whether DNSSEC secures them.</summary>
    Unjudged,
}
