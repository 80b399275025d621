namespace PolicyDaemon.Core.Discovery;

/// <summary>When a domain's MTA-STS record is asked for and its policy fetched, and what is remembered afterwards.</summary>
/// <remarks>
/// <para>A sender caches a policy for its max_age and keeps to it, whatever happens to the record and to the policy host meanwhile
/// (RFC 8461 sections 3.3 and 5.1, "MUST"): whoever can make lookups fail must not be able to switch protection off. The record's id
/// says that the policy has changed; the policy itself is fetched again every day whatever the id says, as people forget the id.</para>
/// <code>
/// record     announced   asked again after 1 h         at once fetched where the id is new
///            absent      after its TTL, 5 min to 1 h
///            broken      after its TTL, 5 min to 1 h
///            failed      after 5 min
/// policy     fetched     again after a day (half its life where that is less) x 0.8 to 1.2
///            failed      again after 5 min, 15 min, 1 h, then every hour; a new id at once
///            an MX host outside of it        at most every 5 min
///            mode none or testing            replaces what was kept, at once
/// </code>
/// <para>Without a record, or with a broken one, a policy in force is still fetched: its host says whether it was withdrawn, or other
/// MX hosts named. It does not live longer for that, since to other senders it is gone. Where only the lookup failed, any policy
/// that was ever known is fetched, and lives on: to block a TXT record must not be enough to let a policy lapse.</para>
/// </remarks>
public static class StsRules
{
    internal static readonly TimeSpan RecordLife = TimeSpan.FromHours(1);
    internal static readonly TimeSpan ShortestAbsence = TimeSpan.FromMinutes(5);
    internal static readonly TimeSpan LongestAbsence = TimeSpan.FromHours(1);
    internal static readonly TimeSpan BodyLife = TimeSpan.FromDays(1);
    internal static readonly TimeSpan LongestBodyLife = BodyLife * 1.2;
    internal static readonly TimeSpan BetweenUncovered = TimeSpan.FromMinutes(5);

    private const int RenewalsWithoutUse = 180;

    private static readonly TimeSpan[] Retries = [TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1)];

    /// <summary>True where the record is to be asked for, now that the domain is used.</summary>
    public static bool IsRecordDue(StsMemory memory, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(memory);
        return IsDue(memory.RecordDue, LongestAbsence, now);
    }

    /// <summary>What is remembered once the record was asked for.</summary>
    public static StsMemory WithRecord(StsMemory memory, DnsAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(answer);
        if (!answer.Worked)
        {
            return memory with
            {
                Announcement = StsAnnouncement.Unknown,
                Problem = answer.Detail,
                RecordAt = answer.At,
                RecordDue = answer.At + ShortestAbsence,
            };
        }

        var reading = StsRecord.Read(answer.Data);
        return memory with
        {
            Announcement = reading.State switch
            {
                StsRecordState.Valid => StsAnnouncement.Announced,
                StsRecordState.Broken => StsAnnouncement.Broken,
                _ => StsAnnouncement.Absent,
            },
            Id = reading.Record?.Id,
            Problem = reading.Problem,
            RecordAt = answer.At,
            RecordDue = answer.At + (reading.State == StsRecordState.Valid ? RecordLife : Within(answer.Ttl, ShortestAbsence, LongestAbsence)),
        };
    }

    /// <summary>True where the policy is to be fetched.</summary>
    /// <param name="memory">With the record as it is now.</param>
    /// <param name="before">Before the record was asked for.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="isUncovered">A current MX host is outside of the policy in force.</param>
    public static bool IsFetchDue(StsMemory memory, StsMemory before, DateTimeOffset now, bool isUncovered)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(before);
        var inForce = memory.InForce(now);
        if (inForce is not null && isUncovered && (memory.FetchedAt is not { } last || last > now || now - last >= BetweenUncovered))
            return true;
        switch (memory.Announcement)
        {
            case StsAnnouncement.Announced:
                var isNew = memory.Id != memory.Kept?.Id && (memory.Failures == 0 || memory.Id != memory.FailedId);
                return isNew || IsDue(memory.FetchDue, LongestBodyLife, now);
            case StsAnnouncement.Absent or StsAnnouncement.Broken:
                return inForce is not null && (before.Announcement == StsAnnouncement.Announced || IsDue(memory.FetchDue, LongestBodyLife, now));
            default:
                return memory.Kept is not null && IsDue(memory.FetchDue, LongestBodyLife, now);
        }
    }

    /// <summary>True where a policy in force is to be fetched again though no mail asks: it was used within 180 of its renewals, 180 days
    /// for most.</summary>
    public static bool IsRenewalDue(StsMemory memory, DateTimeOffset used, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(memory);
        return memory.InForce(now) is { } policy && IsDue(memory.FetchDue, LongestBodyLife, now) && now - used <= RenewalsWithoutUse * LifeOfBody(policy.Policy);
    }

    /// <summary>Until when <see cref="IsRenewalDue"/> can say yes of a policy in force; null where none is.</summary>
    public static DateTimeOffset? RenewalUntil(StsMemory memory, DateTimeOffset used, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (memory.InForce(now) is not { } policy)
            return null;
        var ofUse = RenewalsWithoutUse * LifeOfBody(policy.Policy);
        var until = used > DateTimeOffset.MaxValue - ofUse ? DateTimeOffset.MaxValue : used + ofUse;
        return policy.Expires < until ? policy.Expires : until;
    }

    /// <summary>After how long a policy that lives for weeks is fetched again.</summary>
    public static TimeSpan BodyRenewal => BodyLife;

    /// <summary>The longest time after which a policy is fetched again; a time beyond it was written by a clock that was ahead.</summary>
    public static TimeSpan LongestRenewal => LongestBodyLife;

    /// <summary>What is remembered once fetching was tried.</summary>
    /// <param name="spread">Between 0.8 and 1.2, so that policies fetched together are not renewed together.</param>
    public static StsMemory WithFetch(StsMemory memory, StsFetch fetch, double spread)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(fetch);
        var id = memory.Announcement == StsAnnouncement.Announced ? memory.Id : null;
        if (fetch.Text is null || !StsPolicy.TryParse(fetch.Text, out var policy, out _))
        {
            var failures = memory.Failures + 1;
            return memory with
            {
                FetchedAt = fetch.At,
                FetchDue = fetch.At + Retries[Math.Min(failures, Retries.Length) - 1],
                Failures = failures,
                FailingSince = memory.FailingSince ?? fetch.At,
                FailedId = id,
                Failure = fetch.Text is null ? fetch.Status : StsStatus.Invalid,
                FailureDetail = fetch.Detail,
            };
        }

        var isOther = id is not null && memory.Kept is { } kept && kept.Id == id && kept.Text != fetch.Text;
        var expires = fetch.At + policy.Lifetime;
        if (memory.Announcement is StsAnnouncement.Absent or StsAnnouncement.Broken && memory.InForce(fetch.At) is { } inForce && inForce.Expires < expires)
            expires = inForce.Expires;
        return memory with
        {
            Kept = new StsKept(id ?? memory.Kept?.Id ?? "", fetch.Text, fetch.At, expires),
            FetchedAt = fetch.At,
            FetchDue = fetch.At + LifeOfBody(policy) * spread,
            Failures = 0,
            FailingSince = null,
            FailedId = null,
            Failure = null,
            FailureDetail = null,
            OtherBodyAt = isOther ? fetch.At : memory.OtherBodyAt,
        };
    }

    private static TimeSpan LifeOfBody(StsPolicy policy) => BodyLife < policy.Lifetime / 2 ? BodyLife : policy.Lifetime / 2;

    /// <summary>A time beyond all waits was written by a clock that was ahead.</summary>
    private static bool IsDue(DateTimeOffset due, TimeSpan longest, DateTimeOffset now) => now >= due || due - now > longest;

    internal static TimeSpan Within(TimeSpan life, TimeSpan least, TimeSpan most) => life < least ? least : life > most ? most : life;
}
