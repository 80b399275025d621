namespace PolicyDaemon.Core.Observations;

/// <summary>What a trusted resolver says of an answer (RFC 4033 section 5).</summary>
public enum DnssecStatus
{
    /// <summary>Nobody we trust has said anything: no trusted resolver, or its self-test is not fresh, or the lookup failed.</summary>
    Unknown,

    Insecure,

    Secure,

    Bogus,
}
