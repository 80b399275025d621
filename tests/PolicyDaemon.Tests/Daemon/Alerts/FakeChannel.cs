using System.Collections.Concurrent;
using PolicyDaemon.Daemon.Alerts;

namespace PolicyDaemon.Tests.Daemon.Alerts;

/// <summary>A channel that keeps what it was told.</summary>
internal sealed class FakeChannel(string name) : IAlertChannel
{
    public string Name => name;

    public bool IsOn { get; set; } = true;

    public int Attempts { get; set; } = 1;

    /// <summary>What is wrong with it; null: nothing.</summary>
    public string? Problem { get; set; }

    public int Tried;

    public ConcurrentQueue<AlertMessage> Told { get; } = new();

    public Task<Delivery> SendAsync(AlertMessage message, CancellationToken cancellation)
    {
        Interlocked.Increment(ref Tried);
        if (Problem is { } problem)
            return Task.FromResult(Delivery.Retry(problem));
        Told.Enqueue(message);
        return Task.FromResult(Delivery.Done);
    }
}
