namespace PolicyDaemon.Core.Discovery;

/// <summary>For how long what was discovered is fresh, and what holds afterwards.</summary>
/// <remarks>
/// <code>
/// what DNS said           fresh                                     afterwards
///   a DANE verdict        least TTL, 60 s to 1 h                    renewed on use; served while that runs, and while it fails 24 h more
///   nothing               least TTL, 5 min to 1 h                   the same
///   beside a policy       least TTL, 60 s to 5 min                  the same; an MX host outside of the policy is seen in time
///   failures              30 s, doubling to 5 min                   the same
///   not vouched for       5 min                                     the same
/// </code>
/// </remarks>
internal static class DiscoveryAges
{
    /// <summary>How long the last verdict is served while its renewal fails.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    /// <summary>How long anything is fresh at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>How long a failure waits at most before it is tried again.</summary>
    public static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ShortestOfNothing = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestBesidePolicy = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(30);

    /// <summary>For how long these facts are fresh.</summary>
    public static TimeSpan OfFacts(DeliveryFacts facts, DiscoveredAnswer answer, bool hasPolicy) =>
        hasPolicy ? StsRules.Within(facts.Ttl, Shortest, LongestBesidePolicy)
        : answer == DiscoveredAnswer.NotFound ? StsRules.Within(facts.Ttl, ShortestOfNothing, Longest)
        : StsRules.Within(facts.Ttl, Shortest, Longest);

    public static TimeSpan NotVouched => LastRetry;

    /// <param name="failures">In a row, this one included.</param>
    public static TimeSpan AfterFailure(int failures) =>
        failures >= 5 ? LastRetry : StsRules.Within(FirstRetry * (1 << Math.Max(failures - 1, 0)), FirstRetry, LastRetry);
}
