using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Daemon;

/// <summary>What the daemon tells its operator. Event ids 3000 to 3099.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(3000, LogLevel.Information, "policyd {Version} starts; configuration {Configuration}, store {Database}")]
    public static partial void Starting(this ILogger logger, string version, string configuration, string database);

    [LoggerMessage(3001, LogLevel.Information, "store {Database} created; add destinations with policyctl domain add or policyctl import")]
    public static partial void StoreCreated(this ILogger logger, string database);

    [LoggerMessage(3002, LogLevel.Information, "configuration read again from {Configuration}")]
    public static partial void Reloaded(this ILogger logger, string configuration);

    [LoggerMessage(3003, LogLevel.Error, "configuration not taken over, the old one stays in force: {Problem}")]
    public static partial void ReloadRefused(this ILogger logger, string problem);

    [LoggerMessage(3051, LogLevel.Error, "taking over the configuration met what it should not; part of the old one may be in force: correct it and reload again, or restart")]
    public static partial void ReloadBroke(this ILogger logger, Exception exception);

    [LoggerMessage(3004, LogLevel.Warning, "{Key} changed in the configuration; it takes effect at the next start")]
    public static partial void NeedsRestart(this ILogger logger, string key);

    [LoggerMessage(3005, LogLevel.Critical, "policyd cannot go on and ends, so that it is started again: {Reason}")]
    public static partial void CannotGoOn(this ILogger logger, string reason);

    [LoggerMessage(3006, LogLevel.Warning, "status file {StatusFile} cannot be written, policyctl status knows less: {Reason}")]
    public static partial void StatusNotWritten(this ILogger logger, string statusFile, string reason);

    [LoggerMessage(3026, LogLevel.Information, "status is told on {Socket}")]
    internal static partial void StatusSocketOpened(this ILogger logger, string socket);

    [LoggerMessage(3027, LogLevel.Warning, "the status cannot be told on a socket, and policyctl status shows what the status file says; tried again every few seconds, lookups are not concerned: {Reason}")]
    internal static partial void StatusSocketFailed(this ILogger logger, string reason);

    [LoggerMessage(3007, LogLevel.Warning, "finding {Kind} {Subject}: {Detail}; {Remedy}")]
    public static partial void FindingOpened(this ILogger logger, string kind, string subject, string detail, string remedy);

    [LoggerMessage(3008, LogLevel.Information, "finding {Kind} {Subject} is settled")]
    public static partial void FindingClosed(this ILogger logger, string kind, string subject);

    [LoggerMessage(3009, LogLevel.Information, "policyd stops; it answered {Found} lookups with a policy, {NotFound} with not found, {Temporary} with a temporary error")]
    public static partial void Stopped(this ILogger logger, long found, long notFound, long temporary);

    [LoggerMessage(3010, LogLevel.Warning, "{Number} near misses could not be stored as findings and wait until they can; most asked for: {Key}, {Count} times; said at most once an hour: {Reason}")]
    public static partial void NearMissesNotStored(this ILogger logger, int number, string key, long count, string reason);

    [LoggerMessage(3011, LogLevel.Error, "the prober cannot work and tries again in {Delay}; lookups are not concerned: {Reason}")]
    public static partial void ProberFailed(this ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(3012, LogLevel.Error, "the prober met what it should not and starts again in {Delay}; lookups are not concerned")]
    public static partial void ProberBroke(this ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(3013, LogLevel.Warning, "finding {Kind} {Subject}: {Detail}{Particulars}; {Remedy}")]
    public static partial void FindingReported(
        this ILogger logger, string kind, string subject, string detail, string particulars, string remedy);

    [LoggerMessage(3014, LogLevel.Warning, "finding {Kind} {Subject} is open for {Age}: {Detail}; {Remedy}")]
    public static partial void FindingEscalated(this ILogger logger, string kind, string subject, string age, string detail, string remedy);

    [LoggerMessage(3015, LogLevel.Warning, "{Channel} could not tell of {Kind} {Subject} and tries again in {Delay}: {Reason}")]
    public static partial void AlertFailed(this ILogger logger, string channel, string kind, string subject, TimeSpan delay, string reason);

    [LoggerMessage(3016, LogLevel.Error, "{Channel} could not tell of {Kind} {Subject} and gives up after {Attempts} attempts: {Reason}")]
    public static partial void AlertGivenUp(
        this ILogger logger, string channel, string kind, string subject, int attempts, string reason);

    [LoggerMessage(3017, LogLevel.Warning, "alert_socket {Path} cannot be used ({Reason}); alert_command runs inside the daemon's sandbox. Start it: systemctl start policyd-alert.socket")]
    public static partial void AlertSocketNotThere(this ILogger logger, string path, string reason);

    [LoggerMessage(3018, LogLevel.Error, "finding out what to alert about met what it should not and goes on in a minute")]
    public static partial void AlertsBroke(this ILogger logger, Exception exception);

    [LoggerMessage(3019, LogLevel.Warning, "the lock against a second policyd cannot be made, and a second one would not be noticed; lookups are not concerned: {Reason}")]
    public static partial void GoesOnWithoutLock(this ILogger logger, string reason);

    [LoggerMessage(3020, LogLevel.Warning, "{Count} log lines were dropped because standard output was not read or could not be written; lookups did not wait for it")]
    public static partial void LinesDropped(this ILogger logger, long count);

    [LoggerMessage(3021, LogLevel.Warning, "what was discovered cannot be read from the store or written to it; lookups are answered from memory: {Reason}")]
    public static partial void DiscoveryStoreFailed(this ILogger logger, string reason);

    [LoggerMessage(3022, LogLevel.Error, "discovery met what it should not and goes on; lookups are answered from memory")]
    public static partial void DiscoveryBroke(this ILogger logger, Exception exception);

    [LoggerMessage(3023, LogLevel.Warning, "discovery goes on with its settings from before: what it knows must be written to the store and read from it first, so that nothing that protects mail is forgotten")]
    public static partial void DiscoverySettingsWait(this ILogger logger);

    [LoggerMessage(3024, LogLevel.Information, "entries that have ended are written to the store: change {Change} of {Rows} entries, hash {Hash}")]
    internal static partial void EntriesEnded(this ILogger logger, long change, long rows, string hash);

    [LoggerMessage(3025, LogLevel.Warning, "entries that have ended cannot be written to the store, which is tried again; lookups are answered as they are to be: {Reason}")]
    internal static partial void EntriesNotEnded(this ILogger logger, string reason);

    [LoggerMessage(3030, LogLevel.Information, "this node {Does} from now on (vantage {Vantage})")]
    internal static partial void LeaseTaken(this ILogger logger, string does, string vantage);

    [LoggerMessage(3031, LogLevel.Warning, "this node does not probe and alert any more: another one does, or the server cannot be reached (vantage {Vantage})")]
    internal static partial void LeaseLost(this ILogger logger, string vantage);

    [LoggerMessage(3032, LogLevel.Warning, "this node cannot say at the server of the store that it is there, nor hear of others; lookups do not depend on it: {Reason}")]
    internal static partial void NodeFailed(this ILogger logger, string reason);

    [LoggerMessage(3033, LogLevel.Information, "the server of the store hears of this node again")]
    internal static partial void NodeIsBack(this ILogger logger);

    [LoggerMessage(3034, LogLevel.Error, "the heartbeat of this node met what it should not and goes on")]
    internal static partial void NodeBroke(this ILogger logger, Exception exception);

    [LoggerMessage(3036, LogLevel.Information, "this node {Refusal}")]
    internal static partial void LeaseRefused(this ILogger logger, string refusal);

    [LoggerMessage(3035, LogLevel.Warning, "the server of the store does not answer, and policyd stops without waiting for it")]
    internal static partial void StopsWithoutServer(this ILogger logger);
}
