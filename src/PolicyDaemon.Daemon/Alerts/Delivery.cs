namespace PolicyDaemon.Daemon.Alerts;

/// <summary>How one attempt to tell people ended.</summary>
/// <param name="Problem">What was wrong; null where they were told.</param>
/// <param name="IsFinal">Trying again would not help.</param>
internal sealed record Delivery(string? Problem, bool IsFinal)
{
    public static readonly Delivery Done = new(null, false);

    public bool IsDone => Problem is null;

    public static Delivery Retry(string problem) => new(problem, false);

    public static Delivery GiveUp(string problem) => new(problem, true);
}
