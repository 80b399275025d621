using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace PolicyDaemon.Tests.Support;

/// <summary>A clock by hand that also tells when a deadline was set, so that a test advances it neither too early nor too late.</summary>
internal sealed class StepTime(DateTimeOffset start) : FakeTimeProvider(start), IDisposable
{
    private readonly SemaphoreSlim changes = new(0);

    /// <summary>Waits until timers have been set so many times more.</summary>
    public async Task WhenSetAsync(int times, CancellationToken cancellation)
    {
        for (var i = 0; i < times; i++)
            Assert.True(await changes.WaitAsync(Until.Deadline, cancellation), "the deadline was never set");
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ObservedTimer(base.CreateTimer(callback, state, dueTime, period), changes);

    public void Dispose() => changes.Dispose();

    private sealed class ObservedTimer(ITimer timer, SemaphoreSlim changes) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var result = timer.Change(dueTime, period);
            changes.Release();
            return result;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
