using System.Text.Json.Serialization;

namespace PolicyDaemon.Core.Discovery;

/// <summary>One attempt to fetch a policy.</summary>
/// <param name="At">When it began, UTC.</param>
/// <param name="Status"><see cref="StsStatus.Valid"/> where there is a text, or what went wrong.</param>
/// <param name="Text">The body that was served with status 200 as text/plain; null where none was.</param>
/// <param name="Detail">What went wrong, for people.</param>
public sealed record StsFetch(DateTimeOffset At, StsStatus Status, string? Text, string? Detail)
{
    /// <summary>A body that was served: a policy, or the reason why it is none.</summary>
    public static StsFetch Served(DateTimeOffset at, string text) => StsPolicy.TryParse(text, out _, out var reason)
        ? new StsFetch(at, StsStatus.Valid, text, null)
        : new StsFetch(at, StsStatus.Invalid, text, reason);
}

/// <summary>A policy that was fetched and is kept.</summary>
/// <param name="Id">Of the record that announced it; empty where it was fetched without one.</param>
/// <param name="Text">As it was served.</param>
/// <param name="Fetched">When it was fetched last, UTC.</param>
/// <param name="Expires">Until when it counts (RFC 8461 section 3.2), UTC.</param>
/// <exception cref="FormatException">The text is no policy.</exception>
public sealed record StsKept(string Id, string Text, DateTimeOffset Fetched, DateTimeOffset Expires)
{
    /// <summary>The policy that the text says.</summary>
    [JsonIgnore]
    public StsPolicy Policy { get; } = StsPolicy.TryParse(Text, out var policy, out var reason) ? policy : throw new FormatException(reason);

    /// <summary>True where senders must keep to it now.</summary>
    public bool IsInForce(DateTimeOffset now) => Policy.Mode == StsMode.Enforce && now < Expires;
}

/// <summary>What the <c>_mta-sts</c> record said when it was asked for last.</summary>
public enum StsAnnouncement
{
    /// <summary>The lookup failed, or nobody has asked.</summary>
    Unknown,

    /// <summary>No record.</summary>
    Absent,

    /// <summary>A record with an id.</summary>
    Announced,

    /// <summary>Published and broken.</summary>
    Broken,
}

/// <summary>The memory of a domain's MTA-STS: the policy that was kept, what its record said last, and when either is asked for again.</summary>
public sealed record StsMemory
{
    /// <summary>The memory of a domain whose record was never asked for.</summary>
    public static readonly StsMemory Empty = new()
    {
        Kept = null,
        Announcement = StsAnnouncement.Unknown,
        Id = null,
        Problem = null,
        RecordAt = null,
        RecordDue = DateTimeOffset.MinValue,
        FetchDue = DateTimeOffset.MinValue,
        FetchedAt = null,
        Failures = 0,
        FailingSince = null,
        FailedId = null,
        Failure = null,
        FailureDetail = null,
        OtherBodyAt = null,
    };

    /// <summary>The last policy that was fetched, whatever its mode, an expired one included; null where none ever was.</summary>
    public required StsKept? Kept { get; init; }

    public required StsAnnouncement Announcement { get; init; }

    /// <summary>The id in the record.</summary>
    public required string? Id { get; init; }

    /// <summary>The fault of the record, or of its lookup, for people.</summary>
    public required string? Problem { get; init; }

    /// <summary>When the record was asked for last, UTC.</summary>
    public required DateTimeOffset? RecordAt { get; init; }

    /// <summary>When the record is to be asked for again, on use, UTC.</summary>
    public required DateTimeOffset RecordDue { get; init; }

    /// <summary>When the policy is to be fetched again, UTC.</summary>
    public required DateTimeOffset FetchDue { get; init; }

    /// <summary>When fetching it was tried last, UTC.</summary>
    public required DateTimeOffset? FetchedAt { get; init; }

    /// <summary>Attempts to fetch it that failed since one worked.</summary>
    public required int Failures { get; init; }

    public required DateTimeOffset? FailingSince { get; init; }

    /// <summary>The id announced when the last attempt failed: another one is tried at once.</summary>
    public required string? FailedId { get; init; }

    /// <summary>How the last attempt failed; null where it worked.</summary>
    public required StsStatus? Failure { get; init; }

    public required string? FailureDetail { get; init; }

    /// <summary>When another body came under the same id, UTC.</summary>
    public required DateTimeOffset? OtherBodyAt { get; init; }

    /// <summary>The policy that senders must keep to now; null where there is none.</summary>
    public StsKept? InForce(DateTimeOffset now) => Kept is { } kept && kept.IsInForce(now) ? kept : null;
}
