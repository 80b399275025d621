namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Why people are told of a finding. The names are <see cref="AlertMessage.Event"/>.</summary>
internal enum AlertEvent
{
    Opened,

    /// <summary>It is still open after one of the times of <c>alert_escalation</c>.</summary>
    Escalated,

    /// <summary>It is over.</summary>
    Settled,
}
