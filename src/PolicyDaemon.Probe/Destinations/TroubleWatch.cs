using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Tells what fails for one destination from what fails for many at once, which is our own resolver, network or line.</summary>
/// <remarks>For a single thread at a time. On from a quarter of all destinations and at least five, or from fifty one after the other; off where less
/// than an eighth of all is left, and less than half of those that came with it: a single success does not end it, whatever began it, nor does a single
/// failure begin it anew, and the few that always fail among many do not keep it. What is counted are destinations, of a set that is known; of
/// discovery, whose destinations are not, attempts are counted (<see cref="Core.Discovery.OwnTrouble"/>).</remarks>
internal sealed class TroubleWatch(TimeProvider time)
{
    /// <summary>Below this many failing destinations each has its own finding.</summary>
    internal const int AtLeast = 5;

    private const int OnePartOn = 4;
    private const int OnePartOff = 8;
    private const int InARow = 50;
    private const int MaxRemembered = 100_000;

    // Whatever failed is tried again within a quarter of an hour; what was not has been removed or found meanwhile.
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    // Failures are few and the same: those of many destinations are kept once.
    private const int MaxAlike = 32;

    private readonly Dictionary<NextHop, (long At, ImmutableArray<ResolverFailure> Failures)> failing = [];
    private readonly Dictionary<ResolverFailure, int> counts = [];
    private readonly List<ImmutableArray<ResolverFailure>> alike = [];
    private long sweptAt = time.GetTimestamp();
    private int inARow;

    // How many failed before those in a row that began it, and how many at most since.
    private int before;
    private int most;

    // Destinations that did not fail since a trouble of an earlier run was taken over; null where none was.
    private HashSet<NextHop>? metSinceResumed;

    /// <summary>True while so many destinations fail at once that the cause is taken for our own.</summary>
    public bool IsOn { get; private set; }

    /// <summary>True while nothing is known yet of a trouble that an earlier run left.</summary>
    public bool IsResumed => metSinceResumed is not null;

    /// <summary>How many destinations failed when they were last tried.</summary>
    public int Count => failing.Count;

    /// <summary>A few of the failing destinations, in the order of their keys.</summary>
    public IEnumerable<NextHop> Examples => failing.Keys.OrderBy(key => key.Text, StringComparer.Ordinal).Take(3);

    /// <summary>How resolvers fail for them, what most destinations meet first; empty where no resolver is the matter.</summary>
    public IEnumerable<ResolverFailure> Failures =>
        counts.OrderByDescending(one => one.Value).ThenBy(one => one.Key.Failure, StringComparer.Ordinal).ThenBy(one => one.Key.Resolver, StringComparer.Ordinal)
            .Select(one => one.Key);

    /// <summary>True where the destination that was tried last did not fail, so that some work while others fail.</summary>
    public bool WorkedLast => inARow == 0;

    /// <summary>Takes over a trouble of an earlier run, of which only is known that it was on: it stays on until so many fail now that it would begin,
    /// or until as many destinations as that takes at least did not fail, and decide with those that did.</summary>
    public void Resume()
    {
        IsOn = true;
        metSinceResumed = [];
    }

    /// <summary>Takes down how a destination ended.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="failed">It failed.</param>
    /// <param name="all">How many destinations there are.</param>
    /// <param name="failures">How resolvers failed for it.</param>
    public void Add(NextHop key, bool failed, int all, ImmutableArray<ResolverFailure> failures = default)
    {
        Forget();
        inARow = failed ? inARow + (failing.ContainsKey(key) ? 0 : 1) : 0;
        Remove(key);
        if (failed && failing.Count < MaxRemembered)
            Keep(key, failures.IsDefault ? [] : failures);
        var count = (long)failing.Count;
        if (!IsOn && !failed)
            before = failing.Count;
        most = Math.Max(IsOn ? most : 0, failing.Count);
        var begins = count >= AtLeast && (count * OnePartOn >= all || inARow >= InARow);
        if (metSinceResumed is { } met)
        {
            if (!failed)
                met.Add(key);
            if (!begins && met.Count < Math.Min(AtLeast, all))
                return;
            metSinceResumed = null;
            IsOn = begins || count * OnePartOff >= count + met.Count;
            return;
        }

        IsOn = IsOn
            ? count > 0 && (count * OnePartOff >= all || inARow >= InARow || (count - before) * 2 >= most - before)
            : begins;
    }

    private void Keep(NextHop key, ImmutableArray<ResolverFailure> failures)
    {
        if (alike.Find(one => one.AsSpan().SequenceEqual(failures.AsSpan())) is { IsDefault: false } known)
            failures = known;
        else if (alike.Count < MaxAlike)
            alike.Add(failures);
        failing[key] = (time.GetTimestamp(), failures);
        foreach (var failure in failures)
            counts[failure] = counts.GetValueOrDefault(failure) + 1;
    }

    private void Remove(NextHop key)
    {
        if (!failing.Remove(key, out var kept))
            return;
        foreach (var failure in kept.Failures)
        {
            if (--counts[failure] == 0)
                counts.Remove(failure);
        }
    }

    private void Forget()
    {
        if (time.GetElapsedTime(sweptAt) < Sweep)
            return;
        sweptAt = time.GetTimestamp();
        foreach (var old in failing.Where(one => time.GetElapsedTime(one.Value.At) > Memory).Select(one => one.Key).ToList())
            Remove(old);
    }
}
