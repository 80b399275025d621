using Microsoft.Extensions.Time.Testing;

namespace PolicyDaemon.Tests.Support;

/// <summary>A machine's time by hand whose clock can be set, as an administrator or a dead battery does it: timers and timestamps do not notice.</summary>
internal sealed class SettableClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private long ahead;

    public void Set(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref ahead));

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
