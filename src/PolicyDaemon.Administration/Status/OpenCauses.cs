using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Administration.Status;

/// <summary>The causes of what is open: how many there are, and as many of them as are shown.</summary>
/// <param name="Shown">The first ones of each severity, the worst first.</param>
/// <param name="Counts">How many there are of each severity; of a severity without any there is none.</param>
/// <param name="DestinationsThatWait">How many destinations mail waits for.</param>
public sealed record OpenCauses(ImmutableArray<StatusCause> Shown, IReadOnlyDictionary<FindingSeverity, int> Counts, int DestinationsThatWait)
{
    /// <summary>What waits for the destinations of all that need a person, each message once; null where nothing is known to wait.</summary>
    public WaitingCount? Mail { get; init; }

    /// <summary>How many are not among those that are shown.</summary>
    public int NotShown => Counts.Values.Sum() - Shown.Length;

    /// <summary>How many need a person.</summary>
    public int NeedPerson => Counts.Sum(count => count.Key == FindingSeverity.ForInformation ? 0 : count.Value);

    /// <param name="causes">All of them, the worst first.</param>
    /// <param name="most">Of each severity so many are shown.</param>
    public static OpenCauses Of(IReadOnlyCollection<StatusCause> causes, int most = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(causes);
        var severities = causes.GroupBy(cause => cause.Severity).ToList();
        return new OpenCauses(
            [.. StatusCause.WorstFirst(severities.SelectMany(group => group.Take(most)))], severities.ToDictionary(group => group.Key, group => group.Count()),
            StatusCause.DestinationsOf(causes.Where(cause => cause.Severity == FindingSeverity.MailWaits)));
    }

    /// <summary>These and others, of which none is among them.</summary>
    public OpenCauses With(OpenCauses others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return new OpenCauses(
            [.. StatusCause.WorstFirst(Shown.Concat(others.Shown))],
            Counts.Concat(others.Counts).GroupBy(count => count.Key).ToDictionary(count => count.Key, count => count.Sum(one => one.Value)),
            DestinationsThatWait + others.DestinationsThatWait);
    }

    /// <summary>How many there are of a severity.</summary>
    public int Count(FindingSeverity severity) => Counts.GetValueOrDefault(severity);
}
