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
