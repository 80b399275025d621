using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The mail that waits in the queue of this machine's Postfix.</summary>
internal static class MailQueue
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <returns>Null where there is no Postfix here, or its queue may not be seen.</returns>
    internal static WaitingMail? Read(CliHost host) =>
        host.Postfix.Queue(Patience) is var (lines, isWhole) ? WaitingMail.Read(lines, isWhole, Lifetime(host)) : null;

    private static TimeSpan? Lifetime(CliHost host)
    {
        try
        {
            return WaitingMail.ReadTime(host.Postfix.Postconf(["-h", "maximal_queue_lifetime"]));
        }
        catch (CommandException)
        {
            return null;
        }
    }
}
