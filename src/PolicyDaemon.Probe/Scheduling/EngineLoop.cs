using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>The engine's loop: begins probes in the order in which they are due and at the configured pace, and handles their ends. Only it touches the due times.</summary>
/// <remarks>A pass is over when nothing is due or running any more. What waited for its end is judged again then.</remarks>
internal sealed class EngineLoop : IDisposable
{
    /// <summary>The wait after a failure of our own, such as a store that cannot be read.</summary>
    internal static readonly TimeSpan RetryAfterFault = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan StockEvery = TimeSpan.FromSeconds(5);

    // However far away the next thing to do is: a clock that is set is noticed within it, and no timer takes a wait of months.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ProberFindings findings;
    private readonly Func<NextHop, ProbeReason, CancellationToken, Task<EngineSignal.ProbeEnded?>> probe;
    private readonly Action sweep;
    private readonly ScheduleOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Channel<EngineSignal> signals = Channel.CreateUnbounded<EngineSignal>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<NextHop, byte> wanted = new();

    // Owned by the loop.
    private readonly Dictionary<NextHop, Task> running = [];
    private readonly Dictionary<NextHop, ProbeReason> again = [];
    private readonly HashSet<NextHop> awaitingEndOfPass = [];
    private readonly DueWindow window;
    private readonly ProbePace pace;
    private readonly BrakeSample sample;
    private readonly ClockWatch clock;
    private readonly ITimer timer;
    private DateTimeOffset alarm = DateTimeOffset.MaxValue;
    private DateTimeOffset countedAt;
    private bool hasStarted;
    private long probesEnded;

    // Written by the loop, read by others.
    private volatile bool isIdle;
    private volatile EngineStatus status = new(0, 0, 0, 0);

    // Seconds, because a nullable date cannot be read in one piece.
    private long passEnded;

    /// <param name="probe">Probes one destination, off the loop; null where it was cancelled.</param>
    /// <param name="sweep">Called at the end of a pass, to drop what was cached for it.</param>
    /// <param name="random">Chooses samples.</param>
    public EngineLoop(
        IProbeLedger ledger, ProberFindings findings, Func<NextHop, ProbeReason, CancellationToken, Task<EngineSignal.ProbeEnded?>> probe,
        Action sweep, ScheduleOptions options, Random random, TimeProvider time, ILogger logger)
    {
        this.findings = findings;
        this.probe = probe;
        this.sweep = sweep;
        this.options = options;
        this.time = time;
        this.logger = logger;
        window = new DueWindow(ledger, running.ContainsKey);
        pace = new ProbePace(options.ProbesPerSecond);
        sample = new BrakeSample(ledger, options.Rotation, random);
        clock = new ClockWatch(ledger, findings, Timetable.LongestWait(options), logger, time);
        timer = time.CreateTimer(Wake, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc cref="ProbeEngine.IsIdle"/>
    public bool IsIdle => isIdle;

    /// <inheritdoc cref="ProbeEngine.Status"/>
    public EngineStatus Status => status;

    /// <inheritdoc cref="ProbeEngine.PassEnded"/>
    public DateTimeOffset? PassEnded =>
        Volatile.Read(ref passEnded) is not 0 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <inheritdoc cref="ProbeEngine.Want"/>
    public void Want(NextHop key, ProbeReason reason)
    {
        // The lookup path may say the same thousands of times a second.
        if (reason != ProbeReason.Lookup || wanted.TryAdd(key, 0))
            signals.Writer.TryWrite(new EngineSignal.Wanted(key, reason));
    }

    /// <inheritdoc cref="ProbeEngine.ListChanged"/>
    public void ListChanged(bool anyKey) => signals.Writer.TryWrite(new EngineSignal.ListChanged(anyKey));

    /// <inheritdoc cref="ProbeEngine.RunAsync"/>
    public async Task RunAsync(CancellationToken cancellation)
    {
        // A wait that could be cancelled by itself would cost an allocation and a registration each time.
        await using var stop = cancellation.UnsafeRegister(Wake, null);
        while (!cancellation.IsCancellationRequested)
        {
            FollowClock();
            BeginDue(cancellation);
            EndPassWhereIdle();
            TakeStock();
            await WaitAsync();
            while (signals.Reader.TryRead(out var signal))
                Take(signal);
        }

        await Task.WhenAll(running.Values);
    }

    public void Dispose() => timer.Dispose();

    private void FollowClock()
    {
        if (clock.TakeJump())
        {
            window.ClockSet(time.GetUtcNow());
            Volatile.Write(ref passEnded, 0);
            countedAt = DateTimeOffset.MinValue;
            alarm = DateTimeOffset.MaxValue;
        }

        clock.Follow();
    }

    private void BeginDue(CancellationToken cancellation)
    {
        try
        {
            var now = time.GetUtcNow();
            while (running.Count < options.MaxDestinations && pace.Allows(now) && window.TryTake(now, out var key, out var reason))
            {
                pace.Begin(now);
                isIdle = false;
                running[key] = ProbeAsync(key, reason, cancellation);
            }

            findings.Destinations = window.Destinations;
            if (running.Count == 0)
                findings.CountAnew();
            if (!hasStarted)
                logger.Started(window.Destinations);
            hasStarted = true;
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
            window.RetryAt(time.GetUtcNow() + RetryAfterFault);
        }
    }

    private async Task ProbeAsync(NextHop key, ProbeReason reason, CancellationToken cancellation)
    {
        if (await probe(key, reason, cancellation) is { } ended)
            signals.Writer.TryWrite(ended);
    }

    private void TakeStock()
    {
        var now = time.GetUtcNow();
        var isAnythingDue = window.IsAnythingDue(now);
        var due = isAnythingDue ? status.Due : 0;
        // Counting what waits takes a walk over the window; while there is a backlog it changes slowly.
        if (isAnythingDue && now - countedAt >= StockEvery)
        {
            due = window.CountDue(now);
            countedAt = now;
        }

        status = new EngineStatus(window.Destinations, running.Count, due, probesEnded);
    }

    /// <summary>Waits until there is a signal, or a probe may begin.</summary>
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
            case EngineSignal.ProbeEnded ended:
                End(ended);
                break;
            case EngineSignal.Woken:
                alarm = DateTimeOffset.MaxValue;
                break;
        }
    }

    private void End(EngineSignal.ProbeEnded ended)
    {
        running.Remove(ended.Key);
        probesEnded++;
        Return(ended);
        if (ended.AwaitsEndOfPass)
            awaitingEndOfPass.Add(ended.Key);
        if (again.Remove(ended.Key, out var reason))
            Hasten(ended.Key, reason);
        foreach (var neighbour in ended.Sharing.Where(key => key != ended.Key))
            Hasten(neighbour, ProbeReason.Shared);
        if (ended.NewKeySeen)
            Sample(ended.Key);
    }

    private void Return(EngineSignal.ProbeEnded ended)
    {
        var now = time.GetUtcNow();
        if (ended.NextDue is not { } due)
            window.Forget(ended.Key);
        else if (due > now + Timetable.LongestWait(options))
            window.Return(ended.Key, now, isKept: false); // the clock was set back while it ran
        else
            window.Return(ended.Key, due, ended.IsRecorded);
    }

    private void Hasten(NextHop key, ProbeReason reason)
    {
        if (running.ContainsKey(key))
            again[key] = again.TryGetValue(key, out var known) && known > reason ? known : reason;
        else
            window.Hasten(key, time.GetUtcNow(), reason);
    }

    private void Sample(NextHop seenAt)
    {
        try
        {
            foreach (var key in sample.Draw(seenAt, time.GetUtcNow()))
                Hasten(key, ProbeReason.Sample);
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
        }
    }

    private void EndPassWhereIdle()
    {
        if (isIdle || running.Count > 0 || window.IsAnythingDue(time.GetUtcNow()))
            return;
        isIdle = true;
        // Whole seconds, as the ledger keeps times: within the second in which a key was seen the pass has not ended after it.
        Volatile.Write(ref passEnded, time.GetUtcNow().ToUnixTimeSeconds());
        sweep();
        foreach (var key in awaitingEndOfPass)
            window.Hasten(key, time.GetUtcNow().AddSeconds(1), ProbeReason.Reconsider);
        awaitingEndOfPass.Clear();
    }
}
