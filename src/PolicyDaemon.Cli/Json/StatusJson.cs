using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Json;

/// <summary>The result of <c>status</c>.</summary>
/// <param name="Running">Whether policyd runs; null where that cannot be told for want of rights.</param>
/// <param name="Mail">What the state means for mail, in words.</param>
/// <param name="Daemon">What the running daemon says of itself; null where none runs.</param>
/// <param name="Behind">Rows of the audit log that the snapshot in force lacks; null where that cannot be told.</param>
/// <param name="Store">What the store holds.</param>
/// <param name="Findings">What a person should read.</param>
internal sealed record StatusJson(
    bool? Running, string Mail, DaemonStatus? Daemon, long? Behind, StoreStatusJson Store, IReadOnlyList<FindingJson> Findings)
{
    internal static StatusJson From(StatusReport status) => new(
        status.Running, DeliveryCounts.Of(status), status.Live, status.Behind, StoreStatusJson.From(status), status.Findings);
}

/// <summary>The store.</summary>
/// <param name="File">The database.</param>
/// <param name="Problem">Why it cannot be read; null where it can, and then the rest is null.</param>
/// <param name="Destinations">How many keys are configured.</param>
/// <param name="Observed">How many of them are not enforced.</param>
/// <param name="Levels">How many keys each level has.</param>
/// <param name="Pins">How many pins are in each state.</param>
/// <param name="Sequence">The last row of the audit log.</param>
/// <param name="Head">That row's hash.</param>
/// <param name="Verdicts">How many enforced keys have each verdict; those that were never probed are in none.</param>
/// <param name="ObservedVerdicts">The same of keys that are not enforced: what enforcing them would have done.</param>
/// <param name="OnlyRead">Why nobody can write it, which is read as it lies; null where somebody can.</param>
internal sealed record StoreStatusJson(
    string File,
    string? Problem,
    long? Destinations,
    long? Observed,
    IReadOnlyDictionary<string, long>? Levels,
    IReadOnlyDictionary<string, long>? Pins,
    long? Sequence,
    string? Head,
    IReadOnlyDictionary<string, long>? Verdicts,
    IReadOnlyDictionary<string, long>? ObservedVerdicts,
    string? OnlyRead)
{
    internal static StoreStatusJson From(StatusReport status) => new(
        status.Settings.Database,
        status.StoreProblem?.Message,
        status.Counts?.Destinations,
        status.Counts?.Observed,
        status.Counts?.ByLevel.ToDictionary(level => level.Key.Name(), level => level.Value),
        status.Counts?.PinsByState.ToDictionary(state => state.Key.Name(), state => state.Value),
        status.Head?.Sequence,
        status.Head?.Hash,
        status.Counts is null ? null : Names(status.Enforced),
        status.Counts is null ? null : Names(status.Observed),
        status.OnlyRead?.Message);

    private static Dictionary<string, long> Names(IReadOnlyDictionary<DestinationVerdict, long> counts) =>
        counts.ToDictionary(count => count.Key.Name(), count => count.Value);
}
