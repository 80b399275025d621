using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads the histories of targets: the addresses that probes connect to, with their certificate runs.</summary>
internal sealed class TargetTable(DbConnection connection, HistoryCache cache)
{
    /// <param name="mayKeep">True outside a write transaction, where everything read is committed and may be cached.</param>
    internal StoredHistory Read(ProbeTarget target, bool mayKeep)
    {
        var name = target.Id;
        var row = connection.QueryFirstOrDefault<Row>(
            """
            SELECT id, version, last_attempt, last_outcome, last_dialogue, failures, offered_starttls, both_algorithms_at FROM probe_target WHERE name = @name
            """,
            new { name });
        if (row is null)
            return new StoredHistory(0, 0, new AddressHistory(target));
        if (cache.Find(name) is { } known && known.Id == row.Id && known.Version == row.Version)
            return known;
        var history = new AddressHistory(target)
        {
            LastAttempt = row.LastAttempt?.Time(),
            LastOutcome = row.LastOutcome is null ? default : Outcome(row.LastOutcome),
            LastDialogue = LastDialogueDocuments.Read(row.LastDialogue, row.LastAttempt),
            FailuresInARow = (int)row.Failures,
            StartTls = row.OfferedStartTls == 0 ? StartTlsOffer.None : Offer(row),
            BothAlgorithmsAt = row.BothAlgorithmsAt?.Time(),
            CertificateRuns =
            [
                .. connection.Query<RunRow>(
                    """
                    SELECT r.algorithm, m.der, r.first_seen, r.last_seen, r.probes, r.trusted_since, r.trusted_probes, r.trusted_at, r.intermediates
                    FROM certificate_run r LEFT JOIN key_material m ON m.id = r.key_material_id
                    WHERE r.probe_target_id = @Id ORDER BY r.last_seen, r.id
                    """,
                    new { row.Id }).ToList().Select(ToRun),
            ],
        };
        var stored = new StoredHistory(row.Id, row.Version, history);
        if (mayKeep)
            cache.Keep(stored);
        return stored;
    }

    /// <summary>The id of the target's row, which is inserted where there is none.</summary>
    internal long Ensure(string name)
    {
        if (FindId(name) is { } known)
            return known;
        connection.Execute("INSERT INTO probe_target (name, version, failures, offered_starttls) VALUES (@name, 0, 0, 0) ON CONFLICT (name) DO NOTHING", new { name });
        return FindId(name)!.Value;
    }

    private long? FindId(string name) => connection.ExecuteScalar<long?>("SELECT id FROM probe_target WHERE name = @name", new { name });

    /// <summary>What the last attempt that the server showed something in says of STARTTLS, as <see cref="AddressHistory.StartTls"/> has it.</summary>
    private StartTlsOffer Offer(Row row) => LastMet(row) switch
    {
        ProbeOutcome.StartTlsNotSupported => StartTlsOffer.Gone,
        ProbeOutcome.PlaintextInjected => StartTlsOffer.Injected,
        _ => StartTlsOffer.Offered,
    };

    private ProbeOutcome? LastMet(Row row)
    {
        if (row.LastOutcome is null || !Outcome(row.LastOutcome).ShowsNothing())
            return row.LastOutcome is null ? null : Outcome(row.LastOutcome);
        var (secured, gone, injected) = (ProbeOutcome.Secured.Name(), ProbeOutcome.StartTlsNotSupported.Name(), ProbeOutcome.PlaintextInjected.Name());
        var name = connection.QueryFirstOrDefault<string>(
            """
            SELECT outcome FROM observation WHERE probe_target_id = @Id AND outcome IN (@secured, @gone, @injected) ORDER BY id DESC LIMIT 1
            """,
            new { row.Id, secured, gone, injected });
        return name is null ? null : Outcome(name);
    }

    private static ProbeOutcome Outcome(string name) =>
        ProbeOutcomes.TryParse(name, out var outcome) ? outcome : throw new FormatException($"outcome '{name}'");

    private CertificateRun ToRun(RunRow row) => new(
        KeyAlgorithms.TryParse(row.Algorithm, out var algorithm) ? algorithm : throw new FormatException($"algorithm '{row.Algorithm}'"),
        row.Der is null ? null : cache.Certificate(row.Der),
        row.FirstSeen.Time(), row.LastSeen.Time(), (int)row.Probes, row.TrustedSince?.Time(), (int)row.TrustedProbes)
    {
        TrustedAt = row.TrustedAt is null
            ? []
            : [.. (JsonSerializer.Deserialize(row.TrustedAt, StoreJson.Default.Int64Array) ?? []).Select(seconds => seconds.Time())],
        Intermediates = row.Intermediates is null
            ? []
            : [.. (JsonSerializer.Deserialize(row.Intermediates, StoreJson.Default.StringArray) ?? []).Select(der => ImmutableArray.Create(Convert.FromBase64String(der)))],
    };

    internal sealed record Row(
        long Id, long Version, long? LastAttempt, string? LastOutcome, string? LastDialogue, long Failures, long OfferedStartTls, long? BothAlgorithmsAt);

    internal sealed record RunRow(
        string Algorithm, string? Der, long FirstSeen, long LastSeen, long Probes, long? TrustedSince, long TrustedProbes, string? TrustedAt,
        string? Intermediates);
}

/// <summary>What the last attempt met, as a column of JSON.</summary>
internal static class LastDialogueDocuments
{
    /// <returns>Null where nothing is stored of the last attempt: an older program made it, or a newer one that knows more stages.</returns>
    internal static LastDialogue? Read(string? json, long? lastAttempt)
    {
        if (json is null || JsonSerializer.Deserialize(json, StoreJson.Default.LastDialogueDocument) is not { } document || document.At != lastAttempt
            || !ProbeStages.TryParse(document.Stage, out var stage))
            return null;
        return new LastDialogue(
            stage, (int?)document.ReplyCode,
            ProbeOutcomes.TryParse(document.AfterHandshake, out var outcome) ? outcome : ProbeOutcome.Secured,
            KeyAlgorithms.TryParse(document.Negotiated, out var algorithm) ? algorithm : null, document.TlsVersion)
        {
            SpeaksTls12 = document.SpeaksTls12,
            BehindInjection = ProbeOutcomes.TryParse(document.BehindInjection, out var met) ? met : null,
        };
    }

    internal static string? Write(LastDialogue? dialogue, DateTimeOffset at) => dialogue is null ? null : JsonSerializer.Serialize(
        new LastDialogueDocument(
            at.Seconds(), dialogue.Stage.Name(), dialogue.ReplyCode, dialogue.AfterHandshake == ProbeOutcome.Secured ? null : dialogue.AfterHandshake.Name(),
            dialogue.Negotiated?.Name(), dialogue.TlsVersion, dialogue.SpeaksTls12, dialogue.BehindInjection?.Name()),
        StoreJson.Default.LastDialogueDocument);
}
