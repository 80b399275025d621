using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>A channel over which alerts reach people, such as a command or a webhook.</summary>
internal interface IAlertChannel
{
    /// <summary>The configuration key of the channel: the subject of findings about it.</summary>
    string Name { get; }

    /// <summary>True where the channel is configured now.</summary>
    bool IsOn { get; }

    /// <summary>The most attempts to deliver one alert.</summary>
    int Attempts { get; }

    /// <summary>Tries once to deliver an alert, within the channel's time limit. Only cancellation throws.</summary>
    Task<Delivery> SendAsync(AlertMessage message, CancellationToken cancellation);
}

/// <summary>The result of one attempt to deliver an alert.</summary>
/// <remarks>A problem is largely the words of a program or of a server far away; it reaches the log, a finding and the status escaped.</remarks>
internal sealed record Delivery
{
    public static readonly Delivery Done = new(null, false);

    private Delivery(string? problem, bool isFinal) => (Problem, IsFinal) = (problem is null ? null : ShownText.Escape(problem), isFinal);

    /// <summary>Why the alert was not delivered; null where it was.</summary>
    public string? Problem { get; }

    /// <summary>True where trying again would not help.</summary>
    public bool IsFinal { get; }

    public bool IsDone => Problem is null;

    public static Delivery Retry(string problem) => new(problem, false);

    public static Delivery GiveUp(string problem) => new(problem, true);
}
