using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What a destination without an entry is answered, and why.</summary>
public sealed record DiscoveryVerdict
{
    public required NextHop Key { get; init; }

    public required DiscoveredAnswer Answer { get; init; }

    /// <summary>The row of the table that decided.</summary>
    public required DiscoveryRow Row { get; init; }

    /// <summary>True where nothing is known of the destination, so that the verdict is the careful one for an unknown destination.</summary>
    public required bool IsUnknown { get; init; }

    /// <summary>The row by which the last facts decide, where they are kept because a lookup fails now; otherwise null.</summary>
    public required DiscoveryRow? LastRow { get; init; }

    /// <summary>The enforce policy in force, whether it decided or not.</summary>
    public required StsKept? Policy { get; init; }

    /// <summary>The facts that decided.</summary>
    public required DeliveryFacts Facts { get; init; }

    /// <summary>When the verdict ends by itself: the policy expires, or the last facts are too old; null where it does not.</summary>
    public required DateTimeOffset? ValidUntil { get; init; }

    /// <summary>The remarks about the destination for a person, the worst first.</summary>
    public required ImmutableArray<DiscoveryRemark> Remarks { get; init; }

    /// <summary>True where a further lookup could only confirm it: the first question need not wait any longer.</summary>
    public bool IsConclusive => !IsUnknown;

    /// <summary>The verdict at this time; null where nothing was looked up yet.</summary>
    public static DiscoveryVerdict? Of(Discovered memory, DiscoverySettings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(settings);
        if ((memory.Failing ?? memory.Facts) is not { } seen)
            return null;
        var policy = memory.HasSts(settings) ? memory.Sts.InForce(now) : null;
        var isFresh = memory.Failing is null;
        var last = !isFresh && now < memory.FailingSince + DiscoveryAges.Grace ? memory.Facts : null;

        var decided = VerdictTable.Of(seen, policy, settings);
        DiscoveryRow? lastRow = null;
        var facts = seen;
        if (last is not null)
        {
            var before = VerdictTable.Of(last, policy, settings);
            var step = VerdictTable.Compare(before.Answer, decided.Answer, settings);
            // A failure replaces nothing that was known: with nothing to see the last facts hold, with something the stricter ones, and
            // where "not found" is as strict as can be what is known comes before what is not.
            if (seen.HasNoWay || !seen.IsVouched || step > 0 || (step == 0 && decided.IsUnknown))
            {
                lastRow = before.Row;
                decided = decided with { Answer = before.Answer, IsUnknown = before.IsUnknown };
                facts = last;
            }
        }

        return new DiscoveryVerdict
        {
            Key = memory.Key,
            Answer = decided.Answer,
            Row = decided.Row,
            IsUnknown = decided.IsUnknown,
            LastRow = lastRow,
            Policy = policy,
            Facts = facts,
            ValidUntil = Earlier(policy?.Expires, lastRow is null ? null : memory.FailingSince + DiscoveryAges.Grace),
            Remarks = DiscoveryRemarks.Of(memory, seen, policy, settings, decided.Row, now),
        };
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null ? other : other is null || one < other ? one : other;
}
