using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The stored state of all probes: what is due, what every target presented, what each probe came to. Safe for several tasks at once.</summary>
/// <remarks>Calls return when what they wrote is durable. A call that cannot write or read (a full disk, a locked store) throws
/// <see cref="LedgerUnavailableException"/>, and the prober goes on with what it can.</remarks>
public interface IProbeLedger
{
    /// <summary>Destinations that were probed before and are due until a given time, the earliest first.</summary>
    /// <remarks>Due times are stored, so a restart neither loses nor adds probes.</remarks>
    /// <param name="until">The time, inclusive.</param>
    /// <param name="limit">The largest number of destinations to return.</param>
    IReadOnlyList<ProbeDue> ListDue(DateTimeOffset until, int limit);

    /// <summary>Destinations that were never probed, in pages.</summary>
    /// <param name="after">Where the page before ended; 0 for the first.</param>
    /// <param name="limit">The largest number of destinations to return.</param>
    UnprobedPage ListUnprobed(long after, int limit);

    /// <summary>How many destinations there are to probe, and how many of them wait for it.</summary>
    ProbeCounts Count(DateTimeOffset now);

    /// <summary>Makes due now what was last probed later than now and is due later still: a clock that was ahead has recorded it, and it
    /// would wait for a time that may be months away. New keys that were seen then do not count for the brake any more, and that the clock was
    /// set then counts as set now.</summary>
    /// <param name="now">The present.</param>
    /// <param name="dueAfter">Only what is due after this.</param>
    /// <returns>How many destinations.</returns>
    int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter);

    /// <summary>Takes down that the machine's clock was set by much: no hold-down counts from before.</summary>
    void ClockSet(DateTimeOffset at);

    /// <summary>What other destinations make of a key that is presented: the first that pins, rejected or revoked it, one behind the same MX
    /// hosts before others; null where none does.</summary>
    /// <param name="key">The destination that asks.</param>
    /// <param name="fingerprint">Of the public key or of the certificate.</param>
    PinElsewhere? FindElsewhere(NextHop key, Fingerprint fingerprint);

    /// <summary>A random sample of the MX hosts of pinned destinations, each at most once and each as likely as another: a destination behind each.</summary>
    /// <param name="size">The size of the sample; fewer are returned where there are not so many.</param>
    IReadOnlyList<NextHop> Sample(int size, Random random);

    /// <summary>One destination as it is now; null where it is no longer configured.</summary>
    DestinationState? Read(NextHop key);

    /// <summary>The history of a target; an empty one where it was never probed.</summary>
    AddressHistory ReadHistory(ProbeTarget target);

    /// <summary>The destinations that share this target.</summary>
    IReadOnlyList<NextHop> Sharing(ProbeTarget target);

    /// <summary>The numbers of the brake.</summary>
    /// <param name="now">The present.</param>
    /// <param name="least">Fewer new keys than this do not matter: what takes longer to count is left out.</param>
    BrakeCounts ReadBrake(DateTimeOffset now, int least);

    /// <summary>Takes down that the brake was set.</summary>
    void BrakeSet(DateTimeOffset at);

    /// <summary>Stores an observation, and continues the history of its target as it is stored: another program may have probed it meanwhile.</summary>
    /// <remarks>Probes are many at once: what each of them stores holds no thread until it is durable.</remarks>
    Task RecordAsync(Observation observation);

    /// <summary>Stores what a probe of a destination came to, in one transaction: state, transitions, verdict, findings.</summary>
    /// <remarks>A transition is applied only while its pin is in the state it starts from, since a person may have decided
    /// meanwhile; each leaves an audit row with its rule and reason.</remarks>
    Task RecordAsync(ProbeResult result);

    /// <summary>The findings about the prober itself that are open, as whoever probed last left them.</summary>
    IReadOnlyList<Finding> ReadProberFindings();

    /// <summary>Stores the findings about the prober itself, all that hold now: one that was recorded before and is missing has settled.</summary>
    void Record(IReadOnlyList<Finding> proberFindings);
}

/// <summary>How much there is to probe.</summary>
/// <param name="Destinations">The destinations above level <c>none</c>.</param>
/// <param name="Waiting">Those of them that are due, or were never probed.</param>
public readonly record struct ProbeCounts(int Destinations, int Waiting);

/// <summary>When a destination is due.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Due">Null where the destination has never been probed: due now.</param>
public readonly record struct ProbeDue(NextHop Key, DateTimeOffset? Due);

/// <summary>A page of destinations that were never probed.</summary>
/// <param name="Keys">The destinations.</param>
/// <param name="End">Where the page ends; the next one begins behind it.</param>
/// <param name="IsLast">True where no other page follows.</param>
public sealed record UnprobedPage(IReadOnlyList<NextHop> Keys, long End, bool IsLast);
