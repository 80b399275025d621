using PolicyDaemon.Core;

namespace PolicyDaemon.Probe.Dns;

/// <summary>How a resolver failed to answer a question.</summary>
internal enum DnsFailure
{
    /// <summary>No answer in the time for a try.</summary>
    Timeout,

    ServFail,

    Refused,

    /// <summary>The data are there and do not validate.</summary>
    Bogus,

    /// <summary>Another code, or a reply that cannot be read.</summary>
    Other,
}

/// <summary>Counts how often resolvers failed to answer, since the beginning. Safe for several tasks at once.</summary>
internal sealed class DnsFailures
{
    private static readonly StoredNames<DnsFailure> Names = new(
        (DnsFailure.Timeout, "timeout"), (DnsFailure.ServFail, "servfail"), (DnsFailure.Refused, "refused"), (DnsFailure.Bogus, "bogus"), (DnsFailure.Other, "other"));

    private readonly long[] counts = new long[Enum.GetValues<DnsFailure>().Length];

    public void Note(DnsFailure failure) => Interlocked.Increment(ref counts[(int)failure]);

    /// <summary>By the names of the failures, each of which is there.</summary>
    public IReadOnlyDictionary<string, long> Read() => Enum.GetValues<DnsFailure>().ToDictionary(Names.Of, failure => Interlocked.Read(ref counts[(int)failure]));
}
