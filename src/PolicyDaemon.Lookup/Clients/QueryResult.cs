using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Lookup.Clients;

/// <summary>The outcome of a question to a lookup server.</summary>
/// <param name="Answer">The answer; a temporary error unless <see cref="QueryStatus.Answered"/>, as Postfix would take it.</param>
/// <param name="Message">For people: what went wrong; empty when answered.</param>
public sealed record QueryResult(QueryStatus Status, LookupAnswer Answer, string Message)
{
    internal static QueryResult Answered(LookupAnswer answer) => new(QueryStatus.Answered, answer, "");

    internal static QueryResult Failure(QueryStatus status, string message) => new(status, LookupAnswer.Temporary(message), message);
}

/// <summary>What became of a question to a lookup server.</summary>
public enum QueryStatus
{
    /// <summary>The server answered; the answer may be an error of its own.</summary>
    Answered,

    /// <summary>Nobody listens there: no such socket, or the connection was refused.</summary>
    NotRunning,

    /// <summary>The unix socket exists, but this user may not connect to it.</summary>
    NoPermission,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>The connection failed otherwise, or ended before the answer was whole.</summary>
    Failed,

    /// <summary>What came back is no reply that Postfix would accept.</summary>
    Malformed,
}
