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

/// <summary>Shown names of <see cref="StsStatus"/>.</summary>
public static class StsStatuses
{
    private static readonly StoredNames<StsStatus> Names = new(
        (StsStatus.NotApplicable, "not-applicable"), (StsStatus.Absent, "absent"), (StsStatus.Valid, "valid"),
        (StsStatus.DnsFailure, "dns-failure"), (StsStatus.FetchError, "sts-policy-fetch-error"),
        (StsStatus.WebPkiInvalid, "sts-webpki-invalid"), (StsStatus.Invalid, "sts-policy-invalid"));

    /// <summary>For a failure to retrieve or read the policy, its result type in RFC 8460 section 4.3.2.2.</summary>
    public static string Name(this StsStatus status) => Names.Of(status);
}

/// <summary>What was found of a domain's MTA-STS policy.</summary>
/// <param name="Status">How the search ended.</param>
/// <param name="Record">The TXT record, where there is one that can be read.</param>
/// <param name="Policy">The policy; only with <see cref="StsStatus.Valid"/>.</param>
/// <param name="Detail">What went wrong, for people.</param>
public sealed record StsDiscovery(StsStatus Status, StsRecord? Record = null, StsPolicy? Policy = null, string? Detail = null)
{
    /// <summary>What a domain publishes now, whatever is remembered of it.</summary>
    /// <param name="evidence">What was found; null for a key that is not discovered.</param>
    public static StsDiscovery Of(DiscoveryEvidence? evidence)
    {
        if (evidence is null || !evidence.Before.HasSts(evidence.Conditions)
            || evidence.Answers.FirstOrDefault(answer => answer.Question == StsRecord.Question(evidence.Key)) is not { } answer)
            return new StsDiscovery(StsStatus.NotApplicable);
        if (!answer.Worked)
            return new StsDiscovery(StsStatus.DnsFailure, Detail: answer.Detail);
        var reading = StsRecord.Read(answer.Data);
        if (reading.State == StsRecordState.Absent)
            return new StsDiscovery(StsStatus.Absent);
        if (reading.State == StsRecordState.Broken)
            return new StsDiscovery(StsStatus.Invalid, Detail: reading.Problem);
        return evidence.Fetch is not { } fetch
            ? new StsDiscovery(StsStatus.FetchError, reading.Record, Detail: "it was not fetched")
            : new StsDiscovery(
                fetch.Status, reading.Record, fetch.Text is not null && StsPolicy.TryParse(fetch.Text, out var policy, out _) ? policy : null, fetch.Detail);
    }
}
