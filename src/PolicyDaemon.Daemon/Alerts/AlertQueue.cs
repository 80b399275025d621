using PolicyDaemon.Administration.Queue;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Adds the mail that waits to an alert. It runs where the alert command does, outside the daemon's sandbox, in which postqueue(1) is no more than a file.</summary>
internal static class AlertQueue
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    internal static AlertMessage WithMail(AlertMessage message)
    {
        if (!NextHop.TryParse(message.Finding.Subject, out var key, out _) || Postqueue.Waiting(Patience) is not { } mail)
            return message;
        return mail.Of(key) is { } count
            ? message with { WaitingMessages = count.Messages, ReturnedAt = mail.Returned(count) }
            : message with { WaitingMessages = 0 };
    }
}
