namespace PolicyDaemon.Daemon.Alerts;

/// <summary>A way to tell people.</summary>
internal interface IAlertChannel
{
    /// <summary>For findings about the channel itself: the configuration key.</summary>
    string Name { get; }

    /// <summary>It is configured now.</summary>
    bool IsOn { get; }

    /// <summary>How often an alert is tried at most.</summary>
    int Attempts { get; }

    /// <summary>Tries once, within its time limit. Only cancellation throws.</summary>
    Task<Delivery> SendAsync(AlertMessage message, CancellationToken cancellation);
}
