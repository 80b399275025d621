using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Findings;

/// <summary>Something a person should read: what, about whom, since when, and the command that settles it.</summary>
/// <remarks>One finding of a kind is open about a subject at a time. Whoever opened it (<see cref="FindingSource"/>) raises it again while
/// it holds and closes it when it does not; a kind that comes back is a new finding. People are told when it opens, at each escalation
/// and when it is over (<see cref="IAlertLedger"/>). All there is to know about a kind stands in <see cref="FindingKinds"/>.</remarks>
/// <param name="Kind">The kind, see <see cref="FindingKinds"/>.</param>
/// <param name="Subject">The destination, file or part that the finding is about; one finding per kind and subject is open at a time.</param>
/// <param name="Detail">What was seen, in a sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
/// <param name="Since">When the finding was first seen, UTC.</param>
public sealed record Finding(FindingKind Kind, string Subject, string Detail, string Remedy, DateTimeOffset Since)
{
    private readonly FindingSeverity? severity;

    /// <summary>What the finding means for mail: the severity of its kind, or what the verdict of the destination makes of that.</summary>
    public FindingSeverity Severity
    {
        get => severity ?? Kind.Description().Severity;
        init => severity = value;
    }

    /// <summary>The class of what a probe met, with its RFC 8460 result type; null where no probe is the source.</summary>
    public ProbeOutcome? Outcome { get; init; }

    /// <summary>The pins that are served.</summary>
    public ImmutableArray<Fingerprint> Expected { get; init; } = [];

    /// <summary>The keys that were presented instead, and by whom.</summary>
    public ImmutableArray<PresentedKey> Seen { get; init; } = [];

    /// <summary>How many destinations the finding concerns.</summary>
    public int Affects { get; init; } = 1;

    /// <summary>The node that it is about, and that alone closes it; null where it is of all that share the store.</summary>
    public string? Node { get; init; }

    public bool Equals(Finding? other) =>
        other is not null && (Kind, Subject, Detail, Remedy, Since) == (other.Kind, other.Subject, other.Detail, other.Remedy, other.Since)
        && Severity == other.Severity && Outcome == other.Outcome && Affects == other.Affects && Node == other.Node
        && Expected.AsSpan().SequenceEqual(other.Expected.AsSpan()) && Seen.AsSpan().SequenceEqual(other.Seen.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Kind, Subject, Detail, Since);
}
