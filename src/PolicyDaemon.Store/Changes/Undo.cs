using System.Collections.Immutable;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Changes;

/// <summary>What taking a change back would do.</summary>
/// <param name="ChangeId">The change.</param>
/// <param name="Steps">One per key, latest first.</param>
/// <param name="Obstacles">Why it cannot be taken back, a sentence each; empty where it can.</param>
public sealed record UndoPlan(long ChangeId, IReadOnlyList<UndoStep> Steps, IReadOnlyList<string> Obstacles)
{
    public bool IsPossible => Obstacles.Count == 0;
}

/// <summary>What taking a change back does to one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Now">As it is; null where it is not configured.</param>
/// <param name="BackTo">As it will be; null where it will be removed.</param>
/// <param name="StillRejected">Pins that were rejected since and stay so, although the earlier state had them.</param>
public sealed record UndoStep(NextHop Key, Destination? Now, Destination? BackTo, IReadOnlyList<Fingerprint> StillRejected);

/// <summary>Works out what taking a change back means today.</summary>
/// <remarks>A key goes back only where it still is as the change left it; a rejected pin stays rejected. What a person revoked is served again only
/// where that very change is taken back, which takes a reason.</remarks>
internal static class UndoPlanner
{
    internal static UndoPlan Plan(DbConnection connection, DestinationTable destinations, long changeId, DateTimeOffset time, IProgress<(int Done, int All)>? progress)
    {
        var steps = new List<UndoStep>();
        var obstacles = new List<string>();
        var rows = AuditLog.OfChange(connection, changeId).Reverse().ToList();
        if (rows.Count == 0)
            obstacles.Add(string.Create(CultureInfo.InvariantCulture, $"there is no change {changeId}; 'policyctl audit' lists them"));

        // A change may have touched a key more than once; its last row says how it left the key, its first where it came from.
        var keys = rows.GroupBy(row => row.Key).ToList();
        var done = 0;
        foreach (var key in keys)
        {
            progress?.Report((++done, keys.Count));
            var last = key.First();
            var first = key.Last();
            if (last.Key is null || !IsOfDestination(last.Action))
            {
                obstacles.Add(string.Create(CultureInfo.InvariantCulture, $"change {changeId} ({last.Action}) is about the store itself and cannot be taken back"));
                continue;
            }

            var stored = destinations.Find(last.Key);
            if (stored is { Value: null } unreadable)
            {
                obstacles.Add($"{last.Key} cannot be read: {unreadable.Problem}");
                continue;
            }

            var now = stored?.Value;
            if (now is null ? last.After is not null : last.After is null || !DestinationDocument.Says(last.After, now))
            {
                obstacles.Add($"{last.Key} was changed since; see 'policyctl audit {last.Key}'");
                continue;
            }

            if (first.Before is null && first.Action != AuditAction.Add.Name())
            {
                obstacles.Add($"{last.Key} could not be read when it was removed, so there is nothing to bring back");
                continue;
            }

            if (first.Before is not null && first.Before == last.After)
            {
                obstacles.Add($"{last.Key} was left as it is: that its zone need not be signed is taken back by the probe that finds it signed again");
                continue;
            }

            try
            {
                var backTo = first.Before is null ? null : DestinationDocument.FromJson(first.Before);
                // What a person gave an end is over at that end, and coming back to it would be without one.
                if (backTo?.Until is { } end && (end <= time || last.Command == EntryEnd.Command))
                    obstacles.Add($"{last.Key} would be as it was until {UtcTime.Text(end)}, and that is over; to have it again: policyctl domain set with --until");
                else
                    steps.Add(Step(NextHop.Parse(last.Key), now, backTo));
            }
            catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
            {
                obstacles.Add($"{last.Key} as it was before cannot be read: {error.Message}");
            }
        }

        return new UndoPlan(changeId, steps, obstacles);
    }

    private static bool IsOfDestination(string action) =>
        AuditActions.TryParse(action, out var known) && known is AuditAction.Add or AuditAction.Change or AuditAction.Remove;

    private static UndoStep Step(NextHop key, Destination? now, Destination? backTo)
    {
        var rejected = (now?.Pins ?? []).Where(pin => pin.State == PinState.Rejected).ToImmutableArray();
        if (backTo is null || rejected.IsEmpty)
            return new UndoStep(key, now, backTo, []);

        var kept = new List<Fingerprint>();
        var pins = backTo.Pins.ToBuilder();
        foreach (var pin in rejected)
        {
            var index = Enumerable.Range(0, pins.Count).FirstOrDefault(i => pins[i].Fingerprint == pin.Fingerprint, -1);
            if (index >= 0 && pins[index].State == PinState.Rejected)
                continue;
            kept.Add(pin.Fingerprint);
            if (index >= 0)
                pins[index] = pin;
            else
                pins.Add(pin);
        }

        return new UndoStep(key, now, backTo with { Pins = pins.ToImmutable() }, kept);
    }
}
