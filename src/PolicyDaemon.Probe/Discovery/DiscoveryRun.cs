using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Probe.Discovery;

/// <summary>A discovery of one destination that is under way; everybody who asks meanwhile gets the same one.</summary>
public sealed class DiscoveryRun
{
    private readonly TaskCompletionSource<DiscoveryVerdict> verdict = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private long firstWaited = long.MaxValue;

    internal DiscoveryRun(NextHop key) => Key = key;

    public NextHop Key { get; }

    /// <summary>Ends as soon as nothing that is still under way can change the answer to the mail that waits: every host with usable TLSA
    /// records, say, before the policy is fetched.</summary>
    public Task<DiscoveryVerdict> Verdict => verdict.Task;

    /// <summary>Ends when everything has been looked up and what must be durable is.</summary>
    public Task<DiscoveryResult> Whole { get; internal set; } = null!;

    /// <summary>Takes note that a lookup waits, and tells when the first one began to: all that wait for this run share its deadline.</summary>
    /// <param name="since">When this one began to, as a timestamp of the clock.</param>
    public long FirstWaited(long since)
    {
        var first = Interlocked.CompareExchange(ref firstWaited, since, long.MaxValue);
        return Math.Min(first, since);
    }

    internal void Publish(DiscoveryVerdict found) => verdict.TrySetResult(found);

    internal void Fail(Exception fault)
    {
        verdict.TrySetException(fault);
        // Nobody need wait for the verdict of a run that they follow to its end.
        _ = verdict.Task.Exception;
    }

    internal void Cancel(CancellationToken cancellation) => verdict.TrySetCanceled(cancellation);
}

/// <param name="Memory">What is remembered now.</param>
/// <param name="Verdict">The verdict.</param>
/// <param name="Change">What changed for mail; null where nothing did.</param>
/// <param name="Evidence">What was found; null where nothing was due.</param>
public sealed record DiscoveryResult(Discovered Memory, DiscoveryVerdict Verdict, DiscoveryChange? Change, DiscoveryEvidence? Evidence);
