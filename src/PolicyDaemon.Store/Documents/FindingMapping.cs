using System.Collections.Immutable;
using System.Text.Json;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store.Documents;

/// <summary>Between a finding and its row.</summary>
internal static class FindingMapping
{
    /// <returns>Null for a kind that a later version added: its row stays for that version.</returns>
    internal static Finding? ToFinding(FindingRow row) => FindingKinds.TryParse(row.Kind, out var kind)
        ? new Finding(kind, row.Subject, row.Detail, row.Remedy, DateTimeOffset.FromUnixTimeSeconds(row.Since))
        {
            Outcome = ProbeOutcomes.TryParse(row.Outcome, out var outcome) ? outcome : null,
            Expected = ReadExpected(row.Expected),
            Seen = ReadSeen(row.Seen),
            Affects = (int)Math.Clamp(row.Affects, 0, int.MaxValue),
        }
        : null;

    internal static string? WriteExpected(ImmutableArray<Fingerprint> expected) => expected.IsDefaultOrEmpty
        ? null
        : JsonSerializer.Serialize([.. expected.Select(pin => pin.Hex)], StoreJson.Default.StringArray);

    internal static string? WriteSeen(ImmutableArray<PresentedKey> seen) => seen.IsDefaultOrEmpty
        ? null
        : JsonSerializer.Serialize(
            [.. seen.Select(key => new SeenDocument(
                key.MxHost, key.Target.Id, key.PublicKey.Hex, key.Certificate.Hex, key.Since.ToUnixTimeSeconds()))],
            StoreJson.Default.SeenDocumentArray);

    private static ImmutableArray<Fingerprint> ReadExpected(string? json) => json is null
        ? []
        : [.. (JsonSerializer.Deserialize(json, StoreJson.Default.StringArray) ?? []).Select(Print)];

    private static ImmutableArray<PresentedKey> ReadSeen(string? json) => json is null
        ? []
        : [.. (JsonSerializer.Deserialize(json, StoreJson.Default.SeenDocumentArray) ?? []).Select(seen => new PresentedKey(
            seen.MxHost, ProbeTarget.Parse(seen.Target), Print(seen.PublicKey), Print(seen.Certificate),
            DateTimeOffset.FromUnixTimeSeconds(seen.Since)))];

    private static Fingerprint Print(string hex) =>
        Fingerprint.TryParse(hex, out var fingerprint, out var reason) ? fingerprint : throw new FormatException(reason);
}
