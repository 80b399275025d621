using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>How one attempt to tell people ended.</summary>
/// <remarks>A problem is largely the words of a program or of a server far away; it reaches the log, a finding and the status escaped.</remarks>
internal sealed record Delivery
{
    public static readonly Delivery Done = new(null, false);

    private Delivery(string? problem, bool isFinal) => (Problem, IsFinal) = (problem is null ? null : ShownText.Escape(problem), isFinal);

    /// <summary>What was wrong; null where they were told.</summary>
    public string? Problem { get; }

    /// <summary>True where trying again would not help.</summary>
    public bool IsFinal { get; }

    public bool IsDone => Problem is null;

    public static Delivery Retry(string problem) => new(problem, false);

    public static Delivery GiveUp(string problem) => new(problem, true);
}
