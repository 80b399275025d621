using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>The stage that a dialogue has reached, how long each stage took, and the deadline of the present one.</summary>
internal sealed class StageClock : IDisposable
{
    private readonly ProbeOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource cancellation;
    private readonly ITimer timer;
    private readonly List<StageTiming> timings = [];
    private long entered;
    private bool isStopped;

    public StageClock(ProbeOptions options, TimeProvider time, CancellationToken caller)
    {
        this.options = options;
        this.time = time;
        cancellation = CancellationTokenSource.CreateLinkedTokenSource(caller);
        timer = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        entered = time.GetTimestamp();
        timer.Change(Limit(ProbeStage.Connect), Timeout.InfiniteTimeSpan);
    }

    public ProbeStage Stage { get; private set; } = ProbeStage.Connect;

    public bool HasExpired { get; private set; }

    /// <summary>Cancelled when the time of the present stage is over, or the caller cancels the probe.</summary>
    public CancellationToken Token => cancellation.Token;

    public IReadOnlyList<StageTiming> Timings => timings;

    public void Enter(ProbeStage stage)
    {
        if (stage == Stage)
            return;
        Record();
        Stage = stage;
        entered = time.GetTimestamp();
        timer.Change(Limit(stage), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the last stage and records how long it took; nothing expires from then on. Repeated calls do nothing.</summary>
    public void Stop()
    {
        if (isStopped)
            return;
        isStopped = true;
        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Record();
    }

    public void Dispose()
    {
        timer.Dispose();
        cancellation.Dispose();
    }

    private void Record() => timings.Add(new StageTiming(Stage, time.GetElapsedTime(entered)));

    private TimeSpan Limit(ProbeStage stage) => stage switch
    {
        ProbeStage.Connect => options.ConnectTimeout,
        ProbeStage.Handshake => options.HandshakeTimeout,
        ProbeStage.Quit => options.QuitTimeout,
        _ => options.ReplyTimeout,
    };

    private void Expire()
    {
        HasExpired = true;
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The dialogue ended while the timer fired.
        }
    }
}
