using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Probing;

/// <summary>A running probe engine: tells it which entries changed in the store and which pinned keys Postfix asked for.</summary>
internal sealed class RunningProber(
    ProbeSettings settings, ProberComposition parts, ProbeEngine engine, SnapshotLoader loader, LookupDemand demand, TimeProvider time,
    ProbeRequests? requests = null)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    // The list of a large store takes a second to read; it is not read again for each of many changes.
    private static readonly TimeSpan ListPause = TimeSpan.FromMinutes(1);
    internal const int LargeStore = 10_000;

    // Collecting a small heap keeps lookups waiting for a few milliseconds.
    private static readonly TimeSpan TidyPause = TimeSpan.FromSeconds(30);
    private const int ManyProbes = 50;

    // Keys that were asked for of late, each once: what is asked all the time is not looked up in the ledger all the time.
    private readonly HashSet<string> recent = new(StringComparer.Ordinal);
    private readonly TimeSpan forget = Bounded(settings.LookupStaleness / 5);
    // One list for ever: a status that says the same is equal to the one before.
    private readonly string[] resolvers = [.. settings.Resolvers.Select(server => server.ToString())];
    // Timestamps, so that a clock that is set back holds nothing up.
    private long? listedAt;
    private long forgotAt = time.GetTimestamp();
    private bool listIsStale;
    private bool anyKey;
    private (long Probes, long At) tidied = (0, time.GetTimestamp());

    public ProberStatus Status(string? problem)
    {
        var now = engine.Status;
        var test = parts.Resolver.Test;
        return new ProberStatus(
            problem is null ? "on" : "failing", problem, now.Destinations, now.InFlight, now.Due, engine.PassEnded,
            new ResolverStatus(resolvers, settings.ResolverTrusted, test?.Passed, test?.At, test?.Detail),
            engine.Brake is { } brake ? new BrakeStatus(brake.IsOn, brake.Counts.PinnedHosts, brake.Counts.NewInDay) : null, 0)
        {
            Probes = now.Probes,
        };
    }

    /// <summary>Runs until cancelled, or until the engine breaks.</summary>
    /// <param name="stopTime">How long probes that are under way may take to end.</param>
    public async Task RunAsync(TimeSpan stopTime, CancellationToken cancellation)
    {
        // What changed before the engine reads its list is in that list.
        loader.TakeChanges();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = Task.Run(() => engine.RunAsync(both.Token), CancellationToken.None);
        try
        {
            using var timer = new PeriodicTimer(Poll, time);
            while (!running.IsCompleted && await timer.WaitForNextTickAsync(cancellation))
                Tell();
        }
        finally
        {
            await both.CancelAsync();
            await running.WaitAsync(stopTime, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await running;
        cancellation.ThrowIfCancellationRequested();
    }

    private void Tell()
    {
        var now = time.GetTimestamp();
        if (loader.TakeChanges() is { } changes)
        {
            listIsStale = true;
            anyKey |= changes.Everything;
            // A person may have decided: what that means for mail is said at once, from memory where that is fresh.
            foreach (var key in changes.Keys)
                Want(key, ProbeReason.Reconsider);
        }

        if (listIsStale && (listedAt is not { } at || time.GetElapsedTime(at, now) >= ListPause || loader.Status is not { Destinations: > LargeStore }))
        {
            engine.ListChanged(anyKey);
            (listIsStale, anyKey, listedAt) = (false, false, now);
        }

        foreach (var (key, _) in demand.Drain(DemandKind.Pinned))
        {
            if (recent.Count < LookupDemand.MaxPinned && recent.Add(key))
                Want(key, ProbeReason.Lookup);
        }

        foreach (var key in requests?.Drain() ?? [])
            Want(key, ProbeReason.Lookup);

        TidyUp(now);
        if (time.GetElapsedTime(forgotAt, now) >= forget)
        {
            recent.Clear();
            forgotAt = now;
        }
    }

    /// <summary>Collects garbage after a pass over many destinations, because an idle daemon would keep that memory for ever.</summary>
    private void TidyUp(long now)
    {
        var status = engine.Status;
        if (status.InFlight > 0 || status.Probes - tidied.Probes < ManyProbes || time.GetElapsedTime(tidied.At, now) < TidyPause
            || loader.Status is { Destinations: > LargeStore })
            return;
        tidied = (status.Probes, now);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }

    private void Want(string key, ProbeReason reason)
    {
        if (NextHop.TryParse(key, out var nextHop, out _))
            engine.Want(nextHop, reason);
    }

    private static TimeSpan Bounded(TimeSpan span) => span < Poll ? Poll : span > TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : span;
}
