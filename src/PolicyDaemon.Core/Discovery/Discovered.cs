using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What is remembered of a destination without an entry. Its verdict is made of this whenever it is needed: <see cref="DiscoveryVerdict.Of"/>.</summary>
/// <remarks>Facts and policy are remembered, not the answer: a change of Postfix's level, of a switch or of the rules holds at once.</remarks>
public sealed record Discovered
{
    public required NextHop Key { get; init; }

    /// <summary>What DNS said when everything could be looked up last, or what could be seen before more of it failed; null where nothing ever was.</summary>
    public required DeliveryFacts? Facts { get; init; }

    /// <summary>What can be seen while something fails, or while nobody vouches for DNSSEC; null while all is well.</summary>
    public required DeliveryFacts? Failing { get; init; }

    /// <summary>Since when something fails, UTC.</summary>
    public required DateTimeOffset? FailingSince { get; init; }

    /// <summary>Lookups in a row in which something failed.</summary>
    public required int Failures { get; init; }

    /// <summary>When DNS is asked again, on use, UTC.</summary>
    public required DateTimeOffset FactsDue { get; init; }

    public required StsMemory Sts { get; init; }

    /// <summary>When Postfix asked for it last, UTC.</summary>
    public required DateTimeOffset Used { get; init; }

    /// <summary>True once there is something to base a verdict on.</summary>
    public bool IsKnown => Facts is not null || Failing is not null;

    /// <summary>True where more than "nothing" may be answered: a policy is kept, or an MX host has TLSA records.</summary>
    public bool IsProtected => Sts.Kept is not null || HasTlsa;

    /// <summary>True where an MX host has TLSA records, or may have.</summary>
    public bool HasTlsa => Has(Facts) || Has(Failing);

    /// <summary>A destination that nobody has asked for before.</summary>
    public static Discovered Unseen(NextHop key) => new()
    {
        Key = key,
        Facts = null,
        Failing = null,
        FailingSince = null,
        Failures = 0,
        FactsDue = DateTimeOffset.MinValue,
        Sts = StsMemory.Empty,
        Used = DateTimeOffset.MinValue,
    };

    /// <summary>True where a renewal is due, now that it is used.</summary>
    public bool IsDue(DiscoverySettings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return IsFactsDue(now)
            || (HasSts(settings) && (StsRules.IsRecordDue(Sts, now) || StsRules.IsFetchDue(Sts, Sts, now, HasUncoveredHost(now))));
    }

    /// <summary>When <see cref="IsDue"/> will be true; perhaps a little earlier, never later.</summary>
    public DateTimeOffset NextDue(DiscoverySettings settings, DateTimeOffset now)
    {
        if (IsDue(settings, now))
            return now;
        var due = FactsDue;
        if (HasSts(settings))
        {
            due = Earlier(due, Sts.RecordDue);
            if (Sts.Kept is not null || Sts.Announcement == StsAnnouncement.Announced)
                due = Earlier(due, Sts.FetchDue);
            if (HasUncoveredHost(now) && Sts.FetchedAt is { } fetched)
                due = Earlier(due, fetched + StsRules.BetweenUncovered);
        }

        return due;

        static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
    }

    /// <summary>True where DNS is to be asked where mail goes. A time beyond all waits was written by a clock that was ahead.</summary>
    public bool IsFactsDue(DateTimeOffset now) => now >= FactsDue || FactsDue - now > DiscoveryAges.Longest;

    /// <summary>This state with the next DNS query put off by the longest retry wait, because the failures are our own.</summary>
    public Discovered PutOff(DateTimeOffset now) => FactsDue < now + DiscoveryAges.LastRetry ? this with { FactsDue = now + DiscoveryAges.LastRetry } : this;

    /// <summary>True where a current MX host is outside of the policy in force.</summary>
    public bool HasUncoveredHost(DateTimeOffset now) =>
        Sts.InForce(now) is { } kept && (Failing is { HasNoWay: false } seen ? seen : Facts) is { } facts && facts.Hosts.Any(host => !kept.Policy.Covers(host.Name));

    /// <summary>True where the domain can have a policy of MTA-STS.</summary>
    public bool HasSts(DiscoverySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.MtaSts && !Key.IsBracketed;
    }

    private static bool Has(DeliveryFacts? facts) =>
        facts is not null && facts.Hosts.Any(host => host.Class is HostClass.Tlsa or HostClass.UnusableTlsa or HostClass.TlsaFailed);
}
