namespace PolicyDaemon.Core.Observations;

/// <summary>What the TLSA records of an MX host say of a certificate that it presented (RFC 7672 section 3).</summary>
public enum DaneVerdict
{
    /// <summary>No TLSA records, or not DNSSEC-secure ones.</summary>
    None,

    Match,

    Mismatch,

    /// <summary>Records, none of them usable for SMTP.</summary>
    Unusable,

    /// <summary>The lookup failed or was bogus.</summary>
    Unknown,

    /// <summary>No trusted resolver says whether there are DNSSEC-secure records: with one of its own, Postfix may know better.</summary>
    Unjudged,
}
