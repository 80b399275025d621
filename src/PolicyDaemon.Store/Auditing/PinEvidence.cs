using System.Data.Common;
using System.Text.Json;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>The decision that brought a pin into its state, from the audit log; also its JSON.</summary>
/// <param name="Actor">Who decided: a person, or <c>prober</c>.</param>
/// <param name="Change">The number of the change, which <c>undo</c> takes.</param>
/// <param name="Time">When the decision was made.</param>
/// <param name="Rule">The rule of the life cycle; null where a person decided.</param>
/// <param name="Reason">The reason that the rule or the person gave; null where none was given.</param>
public sealed record PinEvidence(string Actor, long Change, DateTimeOffset Time, string? Rule, string? Reason)
{
    // Rows of one key that are looked through for people; pins change a few times a year.
    private const int MaxRows = 500;

    // The same at each probe, which reads a store that others wait for.
    private const int MaxRowsAtProbe = 100;

    /// <summary>The decision in one line, for people.</summary>
    public string Describe() => FormattableString.Invariant(
        $"{(Rule is null ? Actor : $"{Actor}, rule {Rule}")}, change {Change}{(Reason is null ? "" : $": {Reason}")}");

    /// <summary>Finds why each pin that a destination has or had is in its state.</summary>
    internal static Dictionary<Fingerprint, PinEvidence> Read(DbConnection connection, string key) =>
        Read(connection, key, static (was, state) => was == state);

    /// <summary>Finds why each pin that a destination served once is served or not any more; a move between served states is passed over.</summary>
    internal static Dictionary<Fingerprint, PinEvidence> ReadOfService(DbConnection connection, string key) =>
        Read(connection, key, static (was, state) => (was?.IsServed() == true) == state.IsServed());

    /// <summary>Finds why some pins of a destination are in their states.</summary>
    internal static Dictionary<Fingerprint, PinEvidence> Read(DbConnection connection, string key, IReadOnlyCollection<Fingerprint> of) =>
        Of(AuditLog.NewestOf(connection, key, MaxRowsAtProbe), of);

    /// <param name="rows">Of one key, newest first; no more of them are read than it takes.</param>
    internal static Dictionary<Fingerprint, PinEvidence> Of(IEnumerable<AuditRow> rows, IReadOnlyCollection<Fingerprint> pins)
    {
        var evidence = new Dictionary<Fingerprint, PinEvidence>();
        foreach (var row in rows)
        {
            Add(evidence, row, static (was, state) => was == state);
            if (pins.All(evidence.ContainsKey))
                break;
        }

        return evidence;
    }

    private static Dictionary<Fingerprint, PinEvidence> Read(DbConnection connection, string key, Func<PinState?, PinState, bool> isSame)
    {
        var evidence = new Dictionary<Fingerprint, PinEvidence>();
        foreach (var row in AuditLog.NewestOf(connection, key, MaxRows))
            Add(evidence, row, isSame);
        return evidence;
    }

    /// <param name="isSame">True where the row decided nothing about a pin, given its state before, null for a pin that is new, and after.</param>
    private static void Add(Dictionary<Fingerprint, PinEvidence> evidence, AuditRow row, Func<PinState?, PinState, bool> isSame)
    {
        var before = Pins(row.Before);
        foreach (var (pin, state) in Pins(row.After))
        {
            if (isSame(before.TryGetValue(pin, out var was) ? was : null, state) || evidence.ContainsKey(pin))
                continue;
            var transition = EvidenceDocument.ReadTransitions(row.Evidence).LastOrDefault(moved => moved.Fingerprint == pin.Hex);
            evidence[pin] = new PinEvidence(row.Actor.ToString(), row.ChangeId, row.Time, transition?.Rule, transition?.Reason ?? row.Reason);
        }
    }

    private static Dictionary<Fingerprint, PinState> Pins(string? json)
    {
        try
        {
            return json is null ? [] : DestinationDocument.FromJson(json).Pins.DistinctBy(pin => pin.Fingerprint).ToDictionary(pin => pin.Fingerprint, pin => pin.State);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return [];
        }
    }
}
