using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Looks at each destination when it is due, and hands what it saw to the ledger.</summary>
/// <remarks>
/// One loop owns the window of what is due; looks (<see cref="DestinationProbe"/>) run beside it and report back. When an address shows something
/// new, everybody behind it is looked at with that same observation. When a key is new, a sample of other destinations is looked
/// at too, so that the brake can tell a renewal from a fault of our network; the round ends when nothing is due or running any more.
/// </remarks>
public sealed class ProbeEngine : IDisposable
{
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StockEvery = TimeSpan.FromSeconds(5);

    // However far away the next thing to do is: a clock that is set is noticed within it, and no timer takes a wait of months.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly IProbeLedger ledger;
    private readonly ProberFindings findings;
    private readonly DestinationProbe destinations;
    private readonly ScheduleOptions options;
    private readonly BrakeSample sample;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Channel<EngineSignal> signals = Channel.CreateUnbounded<EngineSignal>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<NextHop, byte> wanted = new();

    // Owned by the loop.
    private readonly DueWindow window;
    private readonly ProbePace pace;
    private readonly ClockWatch clock;
    private readonly Dictionary<NextHop, Task> running = [];
    private readonly Dictionary<NextHop, ProbeReason> again = [];
    private readonly HashSet<NextHop> reconsider = [];
    private readonly ITimer timer;
    private DateTimeOffset alarm = DateTimeOffset.MaxValue;
    private volatile bool isIdle;
    private bool hasStarted;
    private volatile EngineStatus status = new(0, 0, 0, 0);
    private volatile StrongBox<Brake>? lastBrake;
    private DateTimeOffset countedAt;

    // What a clock that was ahead has recorded is still to be called back: at the start, and after each jump.
    private bool mustRecall = true;
    private TimeSpan? jump;
    private long recallAt = long.MinValue;
    private long looksEnded;

    // Written by the loop, read by looks; ticks, because a nullable date cannot be read in one piece.
    private long roundEnded;

    /// <param name="random">Chooses samples.</param>
    /// <param name="digest">The digest Postfix compares in.</param>
    public ProbeEngine(
        IProbeLedger ledger, IMxResolver resolver, IServerProbe probe, ScheduleOptions options, DigestAlgorithm digest, Random random,
        TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.ledger = ledger;
        this.options = options;
        pace = new ProbePace(options.ProbesPerSecond);
        clock = new ClockWatch(time);
        sample = new BrakeSample(ledger, options.Rotation, random);
        this.time = time;
        this.logger = logger;
        window = new DueWindow(ledger, running.ContainsKey);
        timer = time.CreateTimer(Wake, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        findings = new ProberFindings(ledger, logger, time);
        destinations = new DestinationProbe(ledger, resolver, probe, options, digest, time) { Findings = findings };
    }

    /// <summary>Nothing is due and no look is under way.</summary>
    public bool IsIdle => isIdle;

    /// <summary>What it is about now. May be read from any thread.</summary>
    public EngineStatus Status => status;

    /// <summary>When the last round ended: nothing was due or under way any more; null where none has.</summary>
    public DateTimeOffset? RoundEnded =>
        Volatile.Read(ref roundEnded) is not 0 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>The brake at the last look; null before the first.</summary>
    public Brake? Brake => lastBrake?.Value;

    /// <summary>A person wants this destination looked at now, or Postfix asked for it and its last probe is old. Cheap, from any thread.</summary>
    public void Want(NextHop key, ProbeReason reason)
    {
        // The lookup path may say the same thousands of times a second.
        if (reason != ProbeReason.Lookup || wanted.TryAdd(key, 0))
            signals.Writer.TryWrite(new EngineSignal.Wanted(key, reason));
    }

    /// <summary>Destinations were added, changed or removed.</summary>
    /// <param name="anyKey">False where those that were added or changed are wanted, too, one by one.</param>
    public void ListChanged(bool anyKey = true) => signals.Writer.TryWrite(new EngineSignal.ListChanged(anyKey));

    /// <summary>Runs until it is cancelled; looks that are under way end first.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        // A wait that could be cancelled by itself would cost an allocation and a registration each time.
        await using var stop = cancellation.UnsafeRegister(Wake, null);
        while (!cancellation.IsCancellationRequested)
        {
            WatchClock();
            FollowClock();
            StartDue(cancellation);
            EndRoundWhereIdle();
            TakeStock();
            await WaitAsync();
            while (signals.Reader.TryRead(out var signal))
                Take(signal);
        }

        await Task.WhenAll(running.Values);
    }

    public void Dispose()
    {
        timer.Dispose();
        destinations.Dispose();
    }

    private void WatchClock()
    {
        if (clock.TakeJump() is not { } set)
            return;
        (jump, mustRecall, recallAt) = (set, true, long.MinValue);
        window.ClockSet(time.GetUtcNow());
        Volatile.Write(ref roundEnded, 0);
        countedAt = DateTimeOffset.MinValue;
        alarm = DateTimeOffset.MaxValue;
    }

    private void FollowClock()
    {
        if (time.GetTimestamp() < recallAt)
            return;
        try
        {
            if (mustRecall)
                RecallFuture();
            else
                findings.ClockKeepsTime();
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
            recallAt = time.GetTimestamp() + (long)(RetryAfterFault.TotalSeconds * time.TimestampFrequency);
        }
    }

    /// <summary>Has what a clock that was ahead put off come back. At the start it is not known whether there was one: then only what waits
    /// longer than anything should, which costs no look at all the others.</summary>
    private void RecallFuture()
    {
        var now = time.GetUtcNow();
        var recalled = ledger.RecallFuture(now, jump is null ? now + Timetable.LongestWait(options) : now);
        if (jump is { } set)
        {
            logger.ClockJumped(set < TimeSpan.Zero ? "back" : "ahead", ProberFindings.Span(set), recalled);
            findings.ClockSet(set);
        }

        (mustRecall, jump) = (false, null);
    }

    private void StartDue(CancellationToken cancellation)
    {
        try
        {
            var now = time.GetUtcNow();
            while (running.Count < options.MaxDestinations && pace.Allows(now) && window.TryTake(now, out var key, out var reason))
            {
                pace.Begin(now);
                isIdle = false;
                running[key] = LookAsync(key, reason, cancellation);
            }

            findings.Destinations = window.Watched;
            if (!hasStarted)
                logger.Started(window.Watched);
            hasStarted = true;
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
            window.RetryAt(time.GetUtcNow() + RetryAfterFault);
        }
    }

    private void TakeStock()
    {
        var now = time.GetUtcNow();
        var due = window.IsAnythingDue(now) ? status.Due : 0;
        // Counting what waits takes a walk over the window; while there is a backlog it changes slowly.
        if (window.IsAnythingDue(now) && now - countedAt >= StockEvery)
        {
            due = window.CountDue(now);
            countedAt = now;
        }

        status = new EngineStatus(window.Watched, running.Count, due, looksEnded);
    }

    /// <summary>Until there is a signal, or something to begin.</summary>
    private async Task WaitAsync()
    {
        if (running.Count < options.MaxDestinations)
        {
            // At most until the window is filled again.
            var now = time.GetUtcNow();
            var (next, free) = (window.Next(), pace.Next(now));
            if (next < free)
                next = free;
            if (next <= now)
                return;
            if (next > now + LongestPause)
                next = now + LongestPause;
            // An earlier alarm wakes for nothing, once.
            if (next < alarm)
            {
                alarm = next;
                timer.Change(WholeMilliseconds(next - now), Timeout.InfiniteTimeSpan);
            }
        }

        await signals.Reader.WaitToReadAsync(CancellationToken.None);
    }

    // A timer drops the rest of a millisecond: it would wake before there is anything to begin, again and again until there is.
    private static TimeSpan WholeMilliseconds(TimeSpan pause) => TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds));

    private void Wake(object? state) => signals.Writer.TryWrite(EngineSignal.Woken.Instance);

    private void Take(EngineSignal signal)
    {
        switch (signal)
        {
            case EngineSignal.Wanted(var key, var reason):
                wanted.TryRemove(key, out _);
                Hasten(key, reason);
                break;
            case EngineSignal.ListChanged(var anyKey):
                window.ListChanged(anyKey);
                break;
            case EngineSignal.Looked looked:
                Ended(looked);
                break;
            case EngineSignal.Woken:
                alarm = DateTimeOffset.MaxValue;
                break;
        }
    }

    private void Ended(EngineSignal.Looked looked)
    {
        running.Remove(looked.Key);
        looksEnded++;
        // The clock may have been set back while it ran.
        var now = time.GetUtcNow();
        if (looked.NextDue is { } due && due > now + Timetable.LongestWait(options))
            window.Return(looked.Key, now, isKept: false);
        else if (looked.NextDue is not null)
            window.Return(looked.Key, looked.NextDue.Value, looked.IsKept);
        else
            window.Forget(looked.Key);
        if (looked.Reconsider)
            reconsider.Add(looked.Key);
        if (again.Remove(looked.Key, out var reason))
            Hasten(looked.Key, reason);
        foreach (var neighbour in looked.Shared.Where(key => key != looked.Key))
            Hasten(neighbour, ProbeReason.Shared);
        if (looked.NewKeySeen)
            Sample(looked.Key, looked.PinnedHosts);
    }

    private void Hasten(NextHop key, ProbeReason reason)
    {
        if (running.ContainsKey(key))
            again[key] = again.TryGetValue(key, out var known) && known > reason ? known : reason;
        else
            window.Hasten(key, time.GetUtcNow(), reason);
    }

    private void Sample(NextHop seenAt, int pinnedHosts)
    {
        try
        {
            foreach (var key in sample.Draw(seenAt, pinnedHosts, time.GetUtcNow()))
                Hasten(key, ProbeReason.Sample);
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
        }
    }

    private void EndRoundWhereIdle()
    {
        if (isIdle || running.Count > 0 || window.IsAnythingDue(time.GetUtcNow()))
            return;
        isIdle = true;
        // Whole seconds, as the ledger keeps times: within the second of a sighting the round has not ended after it.
        Volatile.Write(ref roundEnded, time.GetUtcNow().ToUnixTimeSeconds());
        destinations.Sweep();
        foreach (var key in reconsider)
            window.Hasten(key, time.GetUtcNow().AddSeconds(1), ProbeReason.Reconsider);
        reconsider.Clear();
    }

    private async Task LookAsync(NextHop key, ProbeReason reason, CancellationToken cancellation)
    {
        // Off the loop from the first instruction: the ledger is synchronous.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        EngineSignal.Looked looked;
        try
        {
            looked = await RoundAsync(key, reason, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
            looked = Retry(key);
        }
#pragma warning disable CA1031 // the outermost catch of one look: it ends that look only
        catch (Exception fault)
#pragma warning restore CA1031
        {
            logger.ProbeFailed(fault, key.Text, RetryAfterFault);
            looked = Retry(key);
        }

        signals.Writer.TryWrite(looked);
    }

    private EngineSignal.Looked Retry(NextHop key) => new(key, time.GetUtcNow() + RetryAfterFault, false, false, [], false, 0);

    private async Task<EngineSignal.Looked> RoundAsync(NextHop key, ProbeReason reason, CancellationToken cancellation)
    {
        if (await destinations.RunAsync(key, reason, RoundEnded, cancellation) is not { } look)
            return new EngineSignal.Looked(key, null, true, false, [], false, 0);
        if (look.Round is not { } round)
            return new EngineSignal.Looked(key, look.NextDue, true, false, [], false, 0);

        lastBrake = new StrongBox<Brake>(
            new Brake(look.Counts.PinnedHosts, look.Counts.HostsWithNewKeys, RoundEnded) { Options = options.Rotation });
        logger.Looked(key.Text, round.Result.Verdict.Name(), reason.ToString());
        foreach (var transition in round.Result.Transitions)
            logger.PinMoved(key.Text, transition.Fingerprint.Hex, transition.To.Name(), transition.Reason);
        return new EngineSignal.Looked(
            key, look.NextDue, true, round.Result.ReconsiderAt is not null || round.Result.NewKeySeen,
            [.. look.Changed.SelectMany(ledger.Sharing).Distinct()], round.Result.NewKeySeen, look.Counts.PinnedHosts);
    }
}
