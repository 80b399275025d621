using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Lookup;

/// <summary>The log lines of the lookup side, event ids 1000 to 1099. Never a line per lookup, and peers cannot make them more.</summary>
internal static partial class LookupLog
{
    [LoggerMessage(1000, LogLevel.Information, "answers {Protocol} lookups on {Endpoint}")]
    public static partial void Listening(this ILogger logger, string protocol, string endpoint);

    [LoggerMessage(1001, LogLevel.Information, "answers no more {Protocol} lookups on {Endpoint}")]
    public static partial void ListenerStopped(this ILogger logger, string protocol, string endpoint);

    [LoggerMessage(1002, LogLevel.Warning, "Cannot accept connections on {Endpoint}: {Error}; trying again in {Delay} (too few descriptors? raise LimitNOFILE; {Suppressed} more since the last such line)")]
    public static partial void AcceptPaused(this ILogger logger, string endpoint, string error, TimeSpan delay, long suppressed);

    [LoggerMessage(1003, LogLevel.Information, "Accepting connections on {Endpoint} again")]
    public static partial void AcceptResumed(this ILogger logger, string endpoint);

    [LoggerMessage(1004, LogLevel.Debug, "A connection on {Endpoint} was not accepted: {Error}")]
    public static partial void AcceptSkipped(this ILogger logger, string endpoint, string error);

    [LoggerMessage(1005, LogLevel.Critical, "Lost the listener on {Endpoint}: {Error}")]
    public static partial void ListenerLost(this ILogger logger, string endpoint, string error);

    [LoggerMessage(1006, LogLevel.Warning, "No room for a new connection on {Endpoint}, which has {Held} (max_connections {Limit}, of which other listeners have parts of their own): whose request stands still, who never asked and who is idle makes way, in this order ({Suppressed} more since the last such line)")]
    public static partial void ConnectionLimit(this ILogger logger, string endpoint, int held, int limit, long suppressed);

    [LoggerMessage(1007, LogLevel.Warning, "A {Protocol} peer sent something that is no request, the connection ends: {Excerpt} ({Suppressed} more since the last such line)")]
    public static partial void BadRequest(this ILogger logger, string protocol, string excerpt, long suppressed);

    [LoggerMessage(1008, LogLevel.Warning, "A {Protocol} connection ended because its peer did not {What} {Limit} ({Suppressed} more since the last such line)")]
    public static partial void PeerKeptWaiting(this ILogger logger, string protocol, string what, string limit, long suppressed);

    [LoggerMessage(1009, LogLevel.Error, "A lookup failed and was answered with a temporary error: {Key} ({Suppressed} more since the last such line)")]
    public static partial void LookupFailed(this ILogger logger, Exception exception, string key, long suppressed);

    [LoggerMessage(1010, LogLevel.Error, "A lookup connection failed ({Suppressed} more since the last such line)")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception, long suppressed);

    [LoggerMessage(1011, LogLevel.Warning, "{Count} lookup connections did not end in time and were closed")]
    public static partial void DrainIncomplete(this ILogger logger, int count);

    [LoggerMessage(1012, LogLevel.Warning, "The socket {Path} could not be removed: {Error}")]
    public static partial void SocketFileKept(this ILogger logger, string path, string error);

    [LoggerMessage(1016, LogLevel.Warning, "The socket {Endpoint} had been removed and was made again")]
    public static partial void SocketFileRestored(this ILogger logger, string endpoint);

    [LoggerMessage(1017, LogLevel.Error, "The socket {Endpoint} was removed and cannot be made again, no new client finds it; tried again every few seconds: {Error}")]
    public static partial void SocketFileLost(this ILogger logger, string endpoint, string error);

    [LoggerMessage(1015, LogLevel.Warning, "At most {Limit} lookup connections instead of {Configured}: the process may open too few files; raise LimitNOFILE")]
    public static partial void FewDescriptors(this ILogger logger, int limit, int configured);

    [LoggerMessage(1013, LogLevel.Debug, "{Protocol} connection opened, {Open} open")]
    public static partial void ConnectionOpened(this ILogger logger, string protocol, long open);

    [LoggerMessage(1014, LogLevel.Debug, "{Protocol} connection ended: {Error}")]
    public static partial void ConnectionLost(this ILogger logger, string protocol, string error);
}
