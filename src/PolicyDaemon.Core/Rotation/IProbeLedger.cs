using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What the prober knows and writes down; the store keeps it. Safe for several tasks at once.</summary>
/// <remarks>Calls return when what they wrote is durable. A call that cannot (a full disk, a locked store) throws
/// <see cref="LedgerUnavailableException"/>, and the prober goes on with what it can.</remarks>
public interface IProbeLedger
{
    /// <summary>Destinations that were probed before and are due by then, the earliest first.</summary>
    /// <remarks>Due times are stored, so a restart neither loses nor adds probes.</remarks>
    /// <param name="until">Inclusive.</param>
    /// <param name="limit">At most so many.</param>
    IReadOnlyList<ProbeDue> ListDue(DateTimeOffset until, int limit);

    /// <summary>Destinations that were never probed, in pages.</summary>
    /// <param name="after">Where the page before ended; 0 for the first.</param>
    /// <param name="limit">At most so many.</param>
    UnprobedPage ListUnprobed(long after, int limit);

    /// <summary>How many there are to look after, and how many of them wait.</summary>
    ProbeCounts Count(DateTimeOffset now);

    /// <summary>Makes due now what was last probed later than now and is due later still: a clock that was ahead has recorded it, and it
    /// would wait for a time that may be months away. New keys that were seen then do not count for the brake any more.</summary>
    /// <param name="now">The present.</param>
    /// <param name="dueAfter">Only what is due after this.</param>
    /// <returns>How many destinations.</returns>
    int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter);

    /// <summary>Some destinations, each once, any as likely as another.</summary>
    /// <param name="size">So many, or all where there are fewer; of a large store it may be some fewer.</param>
    IReadOnlyList<NextHop> Sample(int size, Random random);

    /// <summary>One destination as it is configured and remembered now; null where it is no longer there.</summary>
    DestinationState? Read(NextHop key);

    /// <summary>What is remembered of a target; an empty history where nothing is.</summary>
    AddressHistory ReadHistory(ProbeTarget target);

    /// <summary>Destinations that have this target among theirs.</summary>
    IReadOnlyList<NextHop> Sharing(ProbeTarget target);

    /// <summary>The numbers of the brake.</summary>
    /// <param name="since">Keys first seen after this count.</param>
    BrakeCounts ReadBrake(DateTimeOffset since);

    /// <summary>Keeps an observation, and the target's history with it.</summary>
    void Record(Observation observation, AddressHistory history);

    /// <summary>Keeps what a look at a destination came to, in one transaction: memory, transitions, verdict, findings.</summary>
    /// <remarks>A transition is applied only while its pin is in the state it starts from, since a person may have decided
    /// meanwhile; each leaves an audit row with its rule and reason.</remarks>
    void Record(ProbeResult round);

    /// <summary>Ends when <see cref="Record(Observation, AddressHistory)"/> would return, and holds no thread until then.</summary>
    Task RecordAsync(Observation observation, AddressHistory history)
    {
        Record(observation, history);
        return Task.CompletedTask;
    }

    /// <summary>Ends when <see cref="Record(ProbeResult)"/> would return, and holds no thread until then.</summary>
    Task RecordAsync(ProbeResult round)
    {
        Record(round);
        return Task.CompletedTask;
    }

    /// <summary>Everything that a person should read about the prober itself now; what was recorded before and is not here has settled.</summary>
    void Record(IReadOnlyList<Finding> proberFindings);
}

/// <summary>How much there is to do.</summary>
/// <param name="Watched">Destinations above level <c>none</c>.</param>
/// <param name="Waiting">Those of them that are due, or were never probed.</param>
public readonly record struct ProbeCounts(int Watched, int Waiting);

/// <summary>When a destination is due.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Due">Null where it has never been probed: due now.</param>
public readonly record struct ProbeDue(NextHop Key, DateTimeOffset? Due);

/// <summary>A page of destinations that were never probed.</summary>
/// <param name="Keys">The destinations.</param>
/// <param name="End">Where it ends; the next page begins behind it.</param>
/// <param name="IsLast">No other page follows.</param>
public sealed record UnprobedPage(IReadOnlyList<NextHop> Keys, long End, bool IsLast);
