namespace PolicyDaemon.Daemon.Alerts;

/// <summary>A message on its way through the channels, and what it stands for.</summary>
/// <param name="message">What people are told.</param>
/// <param name="due">The findings.</param>
/// <param name="channels">How many channels it takes.</param>
internal sealed class AlertItem(AlertMessage message, DueAlert due, int channels)
{
    private int left = channels;

    public AlertMessage Message { get; } = message;

    public DueAlert Due { get; } = due;

    /// <summary>A channel is through with it, delivered or given up.</summary>
    /// <returns>True for the last one.</returns>
    public bool PassedOne() => Interlocked.Decrement(ref left) <= 0;
}
