using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads what is remembered of targets.</summary>
internal sealed class TargetTable(SqliteConnection connection, HistoryCache cache) : IDisposable
{
    private readonly Statement head = new(
        connection,
        """
        SELECT id, version, last_attempt, last_outcome, failures, offered_starttls, both_algorithms_at FROM probe_target WHERE name = $0
        """,
        1);

    private readonly Statement sightings = new(
        connection,
        """
        SELECT s.algorithm, m.der, s.first_seen, s.last_seen, s.probes, s.trusted_since, s.trusted_probes, s.intermediates
        FROM sighting s LEFT JOIN key_material m ON m.id = s.key_material_id
        WHERE s.probe_target_id = $0 ORDER BY s.last_seen, s.id
        """,
        1);

    private readonly Statement add = new(
        connection, "INSERT INTO probe_target (name, version) VALUES ($0, 0) ON CONFLICT (name) DO NOTHING", 1);

    private readonly Statement id = new(connection, "SELECT id FROM probe_target WHERE name = $0", 1);

    /// <param name="mayKeep">True outside a write transaction: what is read is committed.</param>
    internal StoredHistory Read(ProbeTarget target, bool mayKeep)
    {
        var name = target.Id;
        var known = cache.Find(name);
        var row = head.Query(ReadHead, name).FirstOrDefault();
        if (row is null)
            return new StoredHistory(0, 0, new AddressHistory(target));
        if (known is not null && known.Id == row.Id && known.Version == row.Version)
            return known;
        var history = new AddressHistory(target)
        {
            LastAttempt = row.LastAttempt?.Time(),
            LastOutcome = row.LastOutcome is null ? default : Outcome(row.LastOutcome),
            FailuresInARow = (int)row.Failures,
            HasOfferedStartTls = row.OfferedStartTls != 0,
            BothAlgorithmsAt = row.BothAlgorithmsAt?.Time(),
            CertificateRuns = [.. sightings.Query(ReadCertificateRun, row.Id)],
        };
        var stored = new StoredHistory(row.Id, row.Version, history);
        if (mayKeep)
            cache.Keep(stored);
        return stored;
    }

    /// <summary>The target's row, made where there is none.</summary>
    internal long Ensure(string name)
    {
        if (id.Scalar(name) is long known)
            return known;
        add.Execute(name);
        return (long)id.Scalar(name)!;
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[head, sightings, add, id])
            statement.Dispose();
    }

    private static ProbeOutcome Outcome(string name) =>
        ProbeOutcomes.TryParse(name, out var outcome) ? outcome : throw new FormatException($"outcome '{name}'");

    private static Head ReadHead(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), Long(row, 2), Text(row, 3), row.GetInt64(4), row.GetInt64(5), Long(row, 6));

    private CertificateRun ReadCertificateRun(SqliteDataReader row) => new(
        KeyAlgorithms.TryParse(row.GetString(0), out var algorithm) ? algorithm : throw new FormatException($"algorithm '{row.GetString(0)}'"),
        Text(row, 1) is { } der ? cache.Certificate(der) : null,
        row.GetInt64(2).Time(), row.GetInt64(3).Time(), row.GetInt32(4), Long(row, 5)?.Time(), row.GetInt32(6))
    {
        Intermediates = Text(row, 7) is { } json
            ? [.. (JsonSerializer.Deserialize(json, StoreJson.Default.StringArray) ?? []).Select(der => ImmutableArray.Create(Convert.FromBase64String(der)))]
            : [],
    };

    internal static long? Long(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    internal static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private sealed record Head(
        long Id, long Version, long? LastAttempt, string? LastOutcome, long Failures, long OfferedStartTls, long? BothAlgorithmsAt);
}
