using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Sends the alerts of one channel one after the other, each until it is delivered or given up.</summary>
internal sealed class ChannelWorker(IAlertChannel channel, Action<AlertItem, string> passed, ILogger logger, TimeProvider time)
{
    private const int MaxWaiting = 1000;

    // After so many attempts in a row that failed, people should know that they are not told.
    private const int FailuresUntilFinding = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    private readonly Channel<AlertItem> waiting = Channel.CreateBounded<AlertItem>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private int failures;
    private volatile string? problem;
    private long delivered;
    private long givenUp;
    private long failedAttempts;

    public IAlertChannel Target => channel;

    /// <summary>The reason why the channel has not worked of late; null where it works or was not needed.</summary>
    public string? Problem => problem;

    /// <summary>How many were delivered since the start.</summary>
    public long Delivered => Interlocked.Read(ref delivered);

    /// <summary>What became of its alerts. May be read from any thread.</summary>
    public AlertChannelStatus Status => new(channel.Name, Delivered, Interlocked.Read(ref givenUp), Interlocked.Read(ref failedAttempts));

    /// <returns>False where there is no room: the channel does not tell of it.</returns>
    public bool TryAdd(AlertItem item) => waiting.Writer.TryWrite(item);

    public async Task RunAsync(CancellationToken stop)
    {
        await foreach (var item in waiting.Reader.ReadAllAsync(stop))
        {
            await DeliverAsync(item, stop);
            passed(item, channel.Name);
        }
    }

    private async Task DeliverAsync(AlertItem item, CancellationToken stop)
    {
        var pause = FirstPause;
        for (var attempt = 1; channel.IsOn; attempt++)
        {
            var result = await AttemptAsync(item, stop);
            if (result.IsDone)
            {
                failures = 0;
                problem = null;
                Interlocked.Increment(ref delivered);
                return;
            }

            failures++;
            Interlocked.Increment(ref failedAttempts);
            if (result.IsFinal || attempt >= channel.Attempts)
            {
                Interlocked.Increment(ref givenUp);
                logger.AlertGivenUp(channel.Name, item.Message.Finding.Kind, item.Message.Finding.Subject, attempt, result.Problem!);
                problem = result.Problem;
                return;
            }

            if (failures >= FailuresUntilFinding)
                problem = result.Problem;
            logger.AlertFailed(channel.Name, item.Message.Finding.Kind, item.Message.Finding.Subject, pause, result.Problem!);
            await Task.Delay(pause, time, stop);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

#pragma warning disable CA1031 // a channel that breaks an assumption costs this attempt and not the others
    private async Task<Delivery> AttemptAsync(AlertItem item, CancellationToken stop)
    {
        try
        {
            return await channel.SendAsync(item.Message, stop);
        }
        catch (Exception fault) when (!stop.IsCancellationRequested)
        {
            return Delivery.Retry($"{fault.GetType().Name}: {fault.Message}");
        }
    }
#pragma warning restore CA1031
}
