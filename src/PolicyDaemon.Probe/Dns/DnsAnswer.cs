using System.Collections.Immutable;
using DnsClient.Protocol;

namespace PolicyDaemon.Probe.Dns;

/// <summary>An answer, with the aliases on its way followed.</summary>
/// <param name="Kind">What it amounts to.</param>
/// <param name="Records">Of the type asked for, owned by <paramref name="CanonicalName"/>.</param>
/// <param name="CanonicalName">The name at the end of the aliases, lower case, without the final dot.</param>
/// <param name="AuthenticData">The resolver's AD bit as it came; whether it counts is decided by who trusts the resolver.</param>
/// <param name="Detail">Why it failed, for people.</param>
internal sealed record DnsAnswer(
    DnsAnswerKind Kind, ImmutableArray<DnsResourceRecord> Records, string CanonicalName, bool AuthenticData, string? Detail)
{
    /// <summary>For how long it may be given to others: the least TTL on its way, or that of an absence (RFC 2308 section 5); zero: not at all.</summary>
    public TimeSpan Life { get; init; }

    public static DnsAnswer Failed(string name, string detail) => new(DnsAnswerKind.Failed, [], name, false, detail);
}
