using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Computes when a destination is due for its next probe, and how old an observation may be to stand in for one. Pure: a restart changes nothing.</summary>
internal static class Timetable
{
    private const double Jitter = 0.1;
    // The part of its wait for which an observation made for another destination may stand in. A destination that connects waits in
    // full, so an address is never without a probe for longer. The rest is room for the probe itself: what it saw is younger than its
    // start, and must not stand in for the next one.
    private const double SharedPart = 0.8;

    // While a candidate waits, so that no gap in the hold-down comes of it: (1 + this) waits of a sixth, and their jitter, are less than a quarter.
    private const double SharedPartOfCandidate = 0.3;
    private const int WaitsInHoldDown = 6;
    private static readonly TimeSpan Never = TimeSpan.FromDays(3650);

    /// <summary>When a destination is due after a probe of it.</summary>
    /// <param name="id">The destination's key, from which the spread of destinations that were added together is computed.</param>
    /// <param name="probedAt">When the destination was probed.</param>
    /// <param name="listed">The histories of the addresses that DNS names.</param>
    /// <param name="candidateWaits">True where a candidate waits for evidence or a person.</param>
    /// <param name="resolved">True where the lookup of the MX hosts worked.</param>
    public static DateTimeOffset NextDue(
        string id, DateTimeOffset probedAt, IReadOnlyCollection<AddressHistory> listed, bool candidateWaits, bool resolved,
        ScheduleOptions options)
    {
        var interval = options.Interval;
        if (candidateWaits)
            interval = Least(interval, Least(options.CandidateInterval, options.Rotation.HoldDown / WaitsInHoldDown));
        if (listed.Any(history => IsInRenewalTime(history, probedAt)))
            interval = Least(interval, options.RenewalInterval);
        if (!resolved)
            interval = Least(interval, options.BackOff);
        foreach (var history in listed.Where(history => history.FailuresInARow > 0))
            interval = Least(interval, BackOff(history.FailuresInARow, options));
        return probedAt + (interval * (1 + (Jitter * Spread(id, probedAt))));
    }

    /// <summary>The longest interval between two probes of a destination.</summary>
    public static TimeSpan LongestWait(ScheduleOptions options) => options.Interval * (1 + Jitter);

    /// <summary>True where the last attempt at an address is no older than asked for. An attempt in the future was recorded by a clock that was ahead, and does not count.</summary>
    public static bool IsFresh(AddressHistory history, DateTimeOffset notOlderThan, DateTimeOffset now) =>
        history.LastAttempt is { } last && last >= notOlderThan && last <= now;

    /// <summary>Until when a server that asked for patience (421, 4xx) is left alone, whoever asks.</summary>
    public static DateTimeOffset? HeldUntil(AddressHistory history, ScheduleOptions options, DateTimeOffset now) =>
        history.LastAttempt is { } last && last <= now && history.LastOutcome.AsksForPatience()
            ? last + BackOff(history.FailuresInARow, options)
            : null;

    /// <summary>How old an observation may be and still serve another destination behind the same address.</summary>
    public static TimeSpan Freshness(ProbeReason reason, ScheduleOptions options) => reason switch
    {
        ProbeReason.Person => TimeSpan.Zero,
        ProbeReason.Lookup or ProbeReason.Sample => options.LookupStaleness,
        // Somebody else's probe, or our own of a moment ago, is why it is probed at all.
        ProbeReason.Shared or ProbeReason.Reconsider => Recent(options),
        _ => Never,
    };

    /// <summary>How old an observation may be for a destination that is due by its timetable: most of what it waited, so that many
    /// destinations behind an address have it probed hardly more often than one.</summary>
    /// <param name="lastProbe">Of the destination.</param>
    /// <param name="candidateWaits">A key waits for evidence or a person.</param>
    /// <param name="now">The present.</param>
    public static TimeSpan ScheduledFreshness(DateTimeOffset? lastProbe, bool candidateWaits, DateTimeOffset now, ScheduleOptions options) => lastProbe switch
    {
        null => Never,
        // A clock that was ahead recorded it, and how long it waited is not known.
        { } last when last > now => Recent(options),
        { } last => last == now ? Never : (now - last) * (candidateWaits ? SharedPartOfCandidate : SharedPart),
    };

    private static TimeSpan Recent(ScheduleOptions options) => options.BackOff * 2;

    private static bool IsInRenewalTime(AddressHistory history, DateTimeOffset now) =>
        history.Algorithms.Select(algorithm => history.Latest(algorithm)?.Certificate).Any(certificate =>
            certificate is not null && now >= certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) * (2.0 / 3)));

    private static TimeSpan BackOff(int failures, ScheduleOptions options) =>
        Least(options.Interval, options.BackOff * Math.Pow(2, Math.Min(failures - 1, 16)));

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>The spread of a due time, from -1 to 1: FNV-1a over key and time, since string.GetHashCode differs from run to run.</summary>
    private static double Spread(string id, DateTimeOffset at)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in id)
            hash = (hash ^ character) * 1099511628211UL;
        hash = (hash ^ (ulong)at.ToUnixTimeSeconds()) * 1099511628211UL;
        hash ^= hash >> 32;
        return ((hash % 2001) / 1000.0) - 1;
    }
}
