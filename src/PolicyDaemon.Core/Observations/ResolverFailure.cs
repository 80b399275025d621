namespace PolicyDaemon.Core.Observations;

/// <summary>How a resolver failed to answer a question: the fact, of which whoever reads it concludes whose fault it is.</summary>
/// <param name="Resolver">The resolver's address, with its port where that is not 53.</param>
/// <param name="Failure">What the resolver does, as a predicate: <c>answers SERVFAIL</c>, <c>does not answer within 2 s</c>.</param>
public readonly record struct ResolverFailure(string Resolver, string Failure)
{
    /// <summary>The failures of the resolvers as a clause: <c>the resolver 192.0.2.53 answers SERVFAIL</c>.</summary>
    /// <param name="failures">The failures, in the order in which they are told; a resolver that fails in several ways is there several times.</param>
    /// <returns>Empty where there is no failure.</returns>
    public static string Clause(IEnumerable<ResolverFailure> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        var byResolver = failures.Distinct().GroupBy(one => one.Resolver, one => one.Failure, StringComparer.Ordinal)
            .Select(resolver => (Resolver: resolver.Key, Failure: string.Join(" or ", resolver)));
        var clauses = byResolver.GroupBy(one => one.Failure, one => one.Resolver, StringComparer.Ordinal)
            .Select(alike => alike.ToList() is [var single] ? $"the resolver {single} {alike.Key}" : $"each of the resolvers {string.Join(", ", alike)} {alike.Key}");
        return string.Join(", and ", clauses);
    }
}
