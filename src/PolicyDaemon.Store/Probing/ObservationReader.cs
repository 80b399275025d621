using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads the last observations of a destination's addresses, for people.</summary>
internal static class ObservationReader
{
    /// <summary>Newest first; an address that stands for several MX hosts is there for each.</summary>
    internal static List<StoredObservation> Read(SqliteConnection connection, string key)
    {
        using var rows = new Statement(
            connection,
            """
            SELECT l.mx_host, t.name, o.at, o.outcome, o.stage, o.reply_code, o.detail, o.certificates, o.timings, o.transcript
            FROM destination d
            JOIN probe_listing l ON l.destination_id = d.id
            JOIN probe_target t ON t.id = l.probe_target_id
            JOIN observation o ON o.probe_target_id = t.id
            WHERE d.key = $0
            ORDER BY o.at DESC, o.id DESC, l.mx_host
            """,
            1);
        return rows.Query(ReadRow, key);
    }

    private static StoredObservation ReadRow(SqliteDataReader row) => new(
        row.GetString(0), ProbeTarget.Parse(row.GetString(1)), row.GetInt64(2).Time(),
        ProbeOutcomes.TryParse(row.GetString(3), out var outcome) ? outcome : throw new FormatException($"outcome '{row.GetString(3)}'"),
        ProbeStages.TryParse(row.GetString(4), out var stage) ? stage : throw new FormatException($"stage '{row.GetString(4)}'"),
        (int?)TargetTable.Long(row, 5), TargetTable.Text(row, 6),
        [.. TargetTable.Text(row, 7) is { } shown ? JsonSerializer.Deserialize(shown, StoreJson.Default.StoredCertificateArray) ?? [] : []],
        TargetTable.Text(row, 8) is { } timings ? Timings(JsonSerializer.Deserialize(timings, StoreJson.Default.DictionaryStringInt64) ?? []) : [],
        [.. TargetTable.Text(row, 9) is { } said ? JsonSerializer.Deserialize(said, StoreJson.Default.StringArray) ?? [] : []]);

    /// <summary>In the order of the stages, whatever the order of the JSON.</summary>
    private static ImmutableArray<StageTiming> Timings(Dictionary<string, long> milliseconds) =>
    [
        .. milliseconds
            .Select(item => ProbeStages.TryParse(item.Key, out var stage)
                ? new StageTiming(stage, TimeSpan.FromMilliseconds(item.Value))
                : throw new FormatException($"stage '{item.Key}'"))
            .OrderBy(timing => timing.Stage),
    ];
}
