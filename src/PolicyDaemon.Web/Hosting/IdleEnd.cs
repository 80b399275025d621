using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Web.Http;

namespace PolicyDaemon.Web.Hosting;

/// <summary>Gives memory back when nobody asks for a moment, and ends the program when nobody has for a while; its socket stays with systemd, which starts it again.</summary>
/// <param name="idle">For how long; zero: never.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told why the program ends.</param>
/// <param name="giveBack">Gives memory back; null for the memory of this process.</param>
/// <param name="giveBackMuch">Gives memory back where that may be much; null for the memory of this process.</param>
internal sealed class IdleEnd(TimeSpan idle, TimeProvider time, ILogger logger, Action? giveBack = null, Action? giveBackMuch = null) : IDisposable
{
    // Longer than the requests of one look are apart.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);

    private readonly ITimer moment = time.CreateTimer(_ => (giveBack ?? ProcessMemory.GiveBack)(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    private int underWay;
    private long last = time.GetTimestamp();

    /// <summary>True where the program may end now.</summary>
    internal bool IsDue => idle > TimeSpan.Zero && Volatile.Read(ref underWay) == 0 && time.GetElapsedTime(Volatile.Read(ref last)) >= idle;

    public void Dispose() => moment.Dispose();

    /// <summary>Watches, until the program stops.</summary>
    internal async Task WatchAsync(IHostApplicationLifetime lifetime)
    {
        if (idle <= TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(TimeSpan.FromTicks(Math.Max(idle.Ticks / 10, TimeSpan.TicksPerSecond)), time);
        try
        {
            while (await timer.WaitForNextTickAsync(lifetime.ApplicationStopping))
            {
                if (!IsDue)
                    continue;
                logger.Idle(idle);
                lifetime.StopApplication();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // It stops already.
        }
    }

    /// <summary>Notes a request, from its beginning to its end.</summary>
    internal async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref underWay);
        try
        {
            await next(context);
        }
        finally
        {
            Volatile.Write(ref last, time.GetTimestamp());
            if (Interlocked.Decrement(ref underWay) == 0)
            {
                // Whoever asks again and again, never two seconds apart, would have the heap grow to what the runtime thinks is fair.
                (giveBackMuch ?? ProcessMemory.GiveBackMuch)();
                moment.Change(Moment, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
