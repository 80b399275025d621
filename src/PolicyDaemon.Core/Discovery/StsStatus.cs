namespace PolicyDaemon.Core.Discovery;

/// <summary>How looking for a domain's MTA-STS policy ended. Failures are named after the result types of RFC 8460 section 4.3.2.2.</summary>
public enum StsStatus
{
    /// <summary>The next hop is no domain that could have one: a bracketed host, an address, a leading dot.</summary>
    NotApplicable,

    /// <summary>No <c>_mta-sts</c> record: the domain has none.</summary>
    Absent,

    Valid,

    /// <summary>The record could not be looked up; nothing is known.</summary>
    DnsFailure,

    /// <summary>A record, and the policy could not be retrieved.</summary>
    FetchError,

    /// <summary>The policy host has no certificate that the WebPKI accepts for its name.</summary>
    WebPkiInvalid,

    /// <summary>The record or the policy does not say what RFC 8461 asks for.</summary>
    Invalid,
}
