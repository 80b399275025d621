using System.Diagnostics.CodeAnalysis;
using System.Text;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>The queue of destinations that lookups ask discovery for. Both calls return at once and may be made from the thread that answers.</summary>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Destinations wait in it to be discovered; it is no collection.")]
public interface IDiscoveryQueue
{
    /// <summary>A destination is used whose verdict is to be renewed, or that is not known and for which nobody waits.</summary>
    /// <returns>False where there is no room now; its next lookup asks again.</returns>
    bool TryWant(string canonicalKey);

    /// <summary>A destination is not known, and a lookup waits for its verdict.</summary>
    /// <returns>False where there is no room: the lookup does not wait.</returns>
    bool TryWait(ParkedLookup lookup);
}

/// <summary>Discovery as lookups see it; replaced whole when the configuration changes.</summary>
public sealed class ServedDiscovery
{
    /// <summary>Lookups that may wait at a time; the next is answered that nothing is known.</summary>
    public const int MaxParked = 200;

    private readonly byte[] unknownText;
    private readonly LookupAnswerKind unknownKind;

    /// <param name="answers">False where everything is only looked up, judged and counted.</param>
    /// <param name="records">What is known.</param>
    /// <param name="scope">Which keys are discovered.</param>
    /// <param name="unknown">The answer while nothing is known.</param>
    /// <param name="wait">How long the first lookup of a destination waits; zero: not at all.</param>
    /// <param name="queue">Who discovers.</param>
    public ServedDiscovery(bool answers, DiscoveredAnswers records, DiscoveryScope scope, LookupAnswer unknown, TimeSpan wait, IDiscoveryQueue queue)
    {
        Answers = answers;
        Records = records;
        Scope = scope;
        Wait = wait;
        Queue = queue;
        unknownKind = unknown.Kind;
        unknownText = Encoding.ASCII.GetBytes(unknown.Text);
    }

    public bool Answers { get; }

    public DiscoveredAnswers Records { get; }

    public DiscoveryScope Scope { get; }

    public TimeSpan Wait { get; }

    public IDiscoveryQueue Queue { get; }

    /// <summary>The reply to a lookup of a destination of which nothing is known yet (first_sight).</summary>
    public LookupReply Unknown => new(unknownKind, unknownText);
}

/// <summary>A lookup of a destination that nobody has asked for before: its connection waits for the verdict, and no thread does.</summary>
/// <remarks>It ends after a bounded time, whatever becomes of the discovery. It may be concluded from any thread, and counts once.</remarks>
public sealed class ParkedLookup
{
    private readonly TaskCompletionSource<DiscoveredRecord?> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer deadline;
    private readonly TimeProvider time;

    internal ParkedLookup(string key, MapName map, ServedDiscovery discovery, TimeProvider time)
    {
        Key = key;
        Map = map;
        Discovery = discovery;
        Since = time.GetTimestamp();
        this.time = time;
        // Armed once it has its place here: it may be over before this thread goes on, and concluding disposes of it.
        deadline = time.CreateTimer(static state => ((ParkedLookup)state!).Conclude(null), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        deadline.Change(discovery.Wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The canonical key.</summary>
    public string Key { get; }

    /// <summary>When it began to wait, as a timestamp of the clock.</summary>
    public long Since { get; }

    internal MapName Map { get; }

    /// <summary>The protocol it was asked in.</summary>
    internal MapProtocol Protocol { get; set; }

    /// <summary>When it was asked, as a timestamp of the clock; only meant for the one in many of which the duration is counted.</summary>
    internal long Began { get; set; }

    internal ServedDiscovery Discovery { get; }

    /// <summary>Ends with what was found out, or with null where nothing was in time.</summary>
    internal Task<DiscoveredRecord?> Outcome => outcome.Task;

    /// <summary>Lets it wait no longer than whoever asked first while the same discovery runs: mail for a destination whose discovery takes long waits once.</summary>
    /// <param name="first">When that one began to wait, as a timestamp of the clock.</param>
    public void ShareDeadline(long first)
    {
        if (first >= Since)
            return;
        var left = Discovery.Wait - time.GetElapsedTime(first);
        if (left <= TimeSpan.Zero)
            Conclude(null);
        else
            deadline.Change(left, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Lets the connection go on; only the first call counts.</summary>
    /// <param name="record">What was found out; null: nothing yet.</param>
    public void Conclude(DiscoveredRecord? record)
    {
        if (outcome.TrySetResult(record))
            deadline.Dispose();
    }
}

/// <summary>What discovery did for lookups since the start. Every figure only grows, except those that wait now.</summary>
public sealed class DiscoveryCounters
{
    private long entries;
    private long parents;
    private long dane;
    private long sts;
    private long nothing;
    private long defaults;
    private long none;
    private long firstSights;
    private long timedOut;
    private long notWaited;
    private long stale;
    private int parked;

    /// <summary>Lookups answered by an entry.</summary>
    public long Entries => Interlocked.Read(ref entries);

    /// <summary>Not found for the sake of a parent's entry.</summary>
    public long Parents => Interlocked.Read(ref parents);

    /// <summary>Verdicts <c>dane-only</c> and <c>dane</c>.</summary>
    public long Dane => Interlocked.Read(ref dane);

    /// <summary>Policies of MTA-STS.</summary>
    public long Sts => Interlocked.Read(ref sts);

    /// <summary>Discovered, and nothing was published.</summary>
    public long Nothing => Interlocked.Read(ref nothing);

    /// <summary>Lookups answered by the entry <c>*</c>.</summary>
    public long Defaults => Interlocked.Read(ref defaults);

    /// <summary>Keys that are not discovered, without an entry.</summary>
    public long None => Interlocked.Read(ref none);

    /// <summary>Lookups of destinations that were not known.</summary>
    public long FirstSights => Interlocked.Read(ref firstSights);

    /// <summary>Lookups of unknown destinations whose verdict did not come in time.</summary>
    public long TimedOut => Interlocked.Read(ref timedOut);

    /// <summary>Lookups of unknown destinations that did not wait: there was no room to, or <c>wait</c> is zero.</summary>
    public long NotWaited => Interlocked.Read(ref notWaited);

    /// <summary>Answers that were due to be renewed.</summary>
    public long Stale => Interlocked.Read(ref stale);

    /// <summary>Lookups that wait now.</summary>
    public int Parked => Volatile.Read(ref parked);

    internal void Answered(Origin origin, DiscoveredRecord? record)
    {
        switch (origin)
        {
            case Origin.Entry:
                Interlocked.Increment(ref entries);
                break;
            case Origin.Parent:
                Interlocked.Increment(ref parents);
                break;
            case Origin.Discovery when record is { Answer: DiscoveredAnswer.Dane or DiscoveredAnswer.DaneOnly }:
                Interlocked.Increment(ref dane);
                break;
            case Origin.Discovery when record is { Answer: DiscoveredAnswer.Secure }:
                Interlocked.Increment(ref sts);
                break;
            case Origin.Discovery:
                Interlocked.Increment(ref nothing);
                break;
            case Origin.Default:
                Interlocked.Increment(ref defaults);
                break;
            default:
                Interlocked.Increment(ref none);
                break;
        }
    }

    internal void FirstSight() => Interlocked.Increment(ref firstSights);

    internal void DidNotWait() => Interlocked.Increment(ref notWaited);

    internal void ServedStale() => Interlocked.Increment(ref stale);

    internal bool TryPark()
    {
        if (Interlocked.Increment(ref parked) <= ServedDiscovery.MaxParked)
            return true;
        Interlocked.Decrement(ref parked);
        return false;
    }

    internal void Unpark(bool isInTime)
    {
        Interlocked.Decrement(ref parked);
        if (!isInTime)
            Interlocked.Increment(ref timedOut);
    }
}
