using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>A row of the audit log about one destination, with the states of its pins before and after.</summary>
/// <param name="Time">When the change was made.</param>
/// <param name="Change">The number of the change, which <c>undo</c> takes.</param>
/// <param name="Actor">Who decided: a person, or <c>prober</c>.</param>
/// <param name="Action">The action's stored name, see <see cref="AuditActions"/>.</param>
/// <param name="Rule">The rule of the life cycle; null where a person decided.</param>
/// <param name="Reason">The reason that the rule or the person gave; null where none was given.</param>
/// <param name="Before">The pins before; empty where the entry was new, or its pins cannot be read.</param>
/// <param name="After">The pins after; empty where the entry was removed, or its pins cannot be read.</param>
public sealed record StoredPinChange(
    DateTimeOffset Time, long Change, string Actor, string Action, string? Rule, string? Reason, ImmutableDictionary<Fingerprint, PinState> Before,
    ImmutableDictionary<Fingerprint, PinState> After)
{
    /// <summary>Reads the last rows of a destination, oldest first.</summary>
    internal static List<StoredPinChange> Read(DbConnection connection, string key, int most)
    {
        var rows = new List<StoredPinChange>();
        foreach (var row in AuditLog.NewestOf(connection, key, most))
        {
            var moved = EvidenceDocument.ReadTransitions(row.Evidence).LastOrDefault();
            rows.Add(new StoredPinChange(
                row.Time, row.ChangeId, row.Actor.ToString(), row.Action, moved?.Rule, moved?.Reason ?? row.Reason, Pins(row.Before), Pins(row.After)));
        }

        rows.Reverse();
        return rows;
    }

    private static ImmutableDictionary<Fingerprint, PinState> Pins(string? json)
    {
        try
        {
            return json is null
                ? ImmutableDictionary<Fingerprint, PinState>.Empty
                : DestinationDocument.FromJson(json).Pins.DistinctBy(pin => pin.Fingerprint).ToImmutableDictionary(pin => pin.Fingerprint, pin => pin.State);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return ImmutableDictionary<Fingerprint, PinState>.Empty;
        }
    }
}
