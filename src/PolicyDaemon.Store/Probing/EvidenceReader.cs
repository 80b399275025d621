using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Finds in the audit log why each pin of a destination is in its state.</summary>
internal static class EvidenceReader
{
    // Rows of one key that are looked through; pins change a few times a year.
    private const int MaxRows = 500;

    internal static Dictionary<Fingerprint, PinEvidence> Read(SqliteConnection connection, string key)
    {
        var evidence = new Dictionary<Fingerprint, PinEvidence>();
        foreach (var row in AuditLog.NewestOf(connection, key, MaxRows))
        {
            var before = Pins(row.Before);
            foreach (var (hex, state) in Pins(row.After))
            {
                if (before.GetValueOrDefault(hex) == state || !Fingerprint.TryParse(hex, out var pin, out _) || evidence.ContainsKey(pin))
                    continue;
                var transition = Transitions(row.Evidence).LastOrDefault(moved => moved.Fingerprint == hex);
                evidence[pin] = new PinEvidence(row.Actor.ToString(), row.ChangeId, row.Time, transition?.Rule, transition?.Reason ?? row.Reason);
            }
        }

        return evidence;
    }

    private static Dictionary<string, string> Pins(string? json)
    {
        try
        {
            var document = json is null ? null : JsonSerializer.Deserialize(json, StoreJson.Default.DestinationDocument);
            return (document?.Pins ?? []).GroupBy(pin => pin.Fingerprint).ToDictionary(pins => pins.Key, pins => pins.First().State, StringComparer.Ordinal);
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static TransitionDocument[] Transitions(string? json)
    {
        try
        {
            return json is null ? [] : JsonSerializer.Deserialize(json, StoreJson.Default.EvidenceDocument)?.Transitions ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
