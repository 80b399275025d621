using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Everything that one discovery rested on: enough to make its verdict again, on another machine and at another time.</summary>
public sealed record DiscoveryEvidence
{
    public required NextHop Key { get; init; }

    /// <summary>When the evidence was gathered, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The resolver is trusted and has passed its self-test.</summary>
    public required bool IsVouched { get; init; }

    /// <summary>Why nobody vouches for DNSSEC, or what the self-test could not tell.</summary>
    public required string? Resolver { get; init; }

    /// <summary>Postfix's level and what was switched on.</summary>
    public required DiscoverySettings Conditions { get; init; }

    /// <summary>The memory of the destination before its discovery.</summary>
    public required Discovered Before { get; init; }

    /// <summary>Where mail goes was looked up; otherwise what was remembered of it was fresh enough.</summary>
    public required bool HasFacts { get; init; }

    /// <summary>Every answer that DNS gave, in the order in which they were needed.</summary>
    public required ImmutableArray<DnsAnswer> Answers { get; init; }

    /// <summary>The attempt to fetch the policy; null where none was due.</summary>
    public required StsFetch? Fetch { get; init; }
}

/// <summary>Makes what is remembered of a destination out of what was remembered and what was found.</summary>
public static class DiscoveryDecision
{
    /// <param name="evidence">What was found.</param>
    /// <param name="spread">Between 0.8 and 1.2, so that policies fetched together are not renewed together.</param>
    public static Discovered Of(DiscoveryEvidence evidence, double spread)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var after = evidence.Before with { Key = evidence.Key };
        var known = evidence.Answers.DistinctBy(answer => answer.Question).ToDictionary(answer => answer.Question);
        var facts = evidence.HasFacts ? Facts(evidence, known) : null;
        if (known.TryGetValue(StsRecord.Question(evidence.Key), out var record) && after.HasSts(evidence.Conditions))
            after = after with { Sts = StsRules.WithRecord(after.Sts, record) };
        if (evidence.Fetch is { } fetch)
            after = after with { Sts = StsRules.WithFetch(after.Sts, fetch, spread) };
        return facts is null ? after : WithFacts(after, facts, evidence);
    }

    /// <summary>What DNS said of the way that mail takes. A question without an answer counts as one that failed.</summary>
    public static DeliveryFacts Facts(DiscoveryEvidence evidence, IReadOnlyDictionary<DnsQuestion, DnsAnswer> answers)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(answers);
        var reading = MxReader.Read(
            evidence.Key, [], evidence.At,
            question => answers.TryGetValue(question, out var answer) ? answer : DnsAnswer.Failed(question, evidence.At, $"{question} was not answered in time"));
        return DeliveryFacts.Of(reading, evidence.IsVouched);
    }

    /// <summary>True where DNSSEC protects less than it did, though nothing failed: the domain has changed, or the resolver does not validate any more.</summary>
    public static bool LosesDane(DiscoveryEvidence evidence)
    {
        var after = Of(evidence, spread: 1);
        return (evidence.Before.Facts ?? evidence.Before.Failing) is { IsVouched: true } last && after is { Failing: null, Facts: { } facts }
            && Compare(last, facts, evidence.Conditions) > 0;
    }

    private static Discovered WithFacts(Discovered memory, DeliveryFacts facts, DiscoveryEvidence evidence)
    {
        var (at, settings) = (evidence.At, evidence.Conditions);
        if (facts.HasFailure)
        {
            var failures = memory.Failures + 1;
            return memory with
            {
                Facts = LastKnown(memory, settings),
                Failing = facts,
                FailingSince = Since(memory, at),
                Failures = failures,
                FactsDue = at + DiscoveryAges.AfterFailure(failures),
            };
        }

        if (settings.Dane && !facts.IsVouched)
        {
            // Mail would find its way; only what DNSSEC says of it is not known.
            return memory with
            {
                Facts = LastKnown(memory, settings),
                Failing = facts,
                FailingSince = Since(memory, at),
                Failures = 0,
                FactsDue = at + DiscoveryAges.NotVouched,
            };
        }

        var policy = memory.HasSts(settings) ? memory.Sts.InForce(at) : null;
        return memory with
        {
            Facts = facts,
            Failing = null,
            FailingSince = null,
            Failures = 0,
            FactsDue = at + DiscoveryAges.OfFacts(facts, VerdictTable.Of(facts, policy, settings).Answer, policy is not null),
        };
    }

    // A failure in the future was noted by a clock that was ahead.
    private static DateTimeOffset Since(Discovered memory, DateTimeOffset at) => memory.FailingSince is { } since && since <= at ? since : at;

    /// <summary>What counts beside facts in which something fails: those from before, or what could still be seen the time before, whichever is stricter.</summary>
    private static DeliveryFacts? LastKnown(Discovered memory, DiscoverySettings settings)
    {
        if (memory.Failing is not { IsVouched: true, HasNoWay: false } seen)
            return memory.Facts;
return memory.Facts is { } known && Compare(known, seen, settings) >= 0 ? known : seen;
    }

    private static int Compare(DeliveryFacts facts, DeliveryFacts other, DiscoverySettings settings) =>
        VerdictTable.Compare(VerdictTable.Of(facts, null, settings).Answer, VerdictTable.Of(other, null, settings).Answer, settings);
}
