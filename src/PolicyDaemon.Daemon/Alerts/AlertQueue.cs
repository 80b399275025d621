using PolicyDaemon.Administration.Queue;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Adds the mail that waits to an alert. It runs where the alert command does, outside the daemon's sandbox, in which postqueue(1) is no more than a file.</summary>
internal static class AlertQueue
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    internal static AlertMessage WithMail(AlertMessage message) => WithMail(message, () => Postqueue.Waiting(Patience));

    /// <param name="message">The alert.</param>
    /// <param name="queue">Reads the queue; null where it is not known.</param>
    /// <returns>The alert, and what waits where that is known: it is an extra, and nothing about it costs the alert itself.</returns>
    internal static AlertMessage WithMail(AlertMessage message, Func<WaitingMail?> queue)
    {
        if (message.Finding.Destination() is not { } key)
            return message;
        try
        {
            return queue() is { } mail
                ? message with { WaitingMessages = mail.MessagesOf(key), ReturnedAt = mail.Of(key) is { } count ? mail.Returned(count) : null }
                : message;
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return message;
        }
    }
}
