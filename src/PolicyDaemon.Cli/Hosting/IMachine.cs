using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>What <c>doctor</c> tries on this machine, beside what it reads; a test hands in its own.</summary>
internal interface IMachine
{
    /// <summary>True where a time service keeps the clock; null where that cannot be told.</summary>
    bool? IsClockSynchronized();

    /// <summary>Asks a table as Postfix would: as its user, inside its chroot.</summary>
    /// <param name="question">The table, the user and the root directory.</param>
    /// <param name="patience">How long an answer is awaited.</param>
    /// <param name="cancellation">Ends it without an answer.</param>
    Task<SocketAnswer> AskAsync(SocketQuestion question, TimeSpan patience, CancellationToken cancellation);

    /// <summary>Has the daemon's program send a test alert through every channel that is configured, as the daemon's user.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="service">The user of the daemon.</param>
    /// <param name="patience">How long all of it may take.</param>
    /// <param name="cancellation">Ends it without a result.</param>
    /// <exception cref="CommandException">It could not be tried; the message says why.</exception>
    Task<IReadOnlyList<SentAlert>> SendTestAlertAsync(Settings settings, UnixUser? service, TimeSpan patience, CancellationToken cancellation);
}
