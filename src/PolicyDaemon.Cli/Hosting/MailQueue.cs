using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The mail that waits in the queue of this machine's Postfix.</summary>
internal static class MailQueue
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Renewal = TimeSpan.FromMinutes(1);

    /// <returns>Null where there is no Postfix here, or its queue may not be seen.</returns>
    internal static WaitingMail? Read(CliHost host) => host.Postfix.Waiting(Patience);

    /// <summary>The queue for a screen that is drawn again and again.</summary>
    /// <returns>Reads it at most once a minute: each time Postfix opens every file in it.</returns>
    internal static Func<WaitingMail?> Remembered(IPostfixTools postfix, TimeProvider time)
    {
        (long At, WaitingMail? Mail)? known = null;
        return () =>
        {
            if (known is not { } last || time.GetElapsedTime(last.At) >= Renewal)
                known = last = (time.GetTimestamp(), postfix.Waiting(Patience));
            return last.Mail;
        };
    }
}
