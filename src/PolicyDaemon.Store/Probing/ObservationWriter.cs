using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Writes what one probe saw, and the history of its target with it.</summary>
/// <remarks>The history is continued from the rows, not from what the caller had in memory: another program may have probed meanwhile.</remarks>
internal sealed class ObservationWriter(SqliteConnection connection, TargetTable targets, MaterialTable material) : IDisposable
{
    private const int Kept = 30;

    private readonly Statement update = new(
        connection,
        """
        UPDATE probe_target SET version = version + 1, last_attempt = $1, last_outcome = $2, failures = $3, offered_starttls = $4,
               both_algorithms_at = $5
        WHERE id = $0
        """,
        6);

    private readonly Statement begin = new(
        connection,
        """
        INSERT INTO sighting (probe_target_id, algorithm, key_material_id, first_seen, last_seen, probes, trusted_since, trusted_probes, intermediates)
        VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8)
        """,
        9);

    private readonly Statement extend = new(
        connection,
        """
        UPDATE sighting SET last_seen = $2, probes = $3, trusted_since = $4, trusted_probes = $5
        WHERE id = (SELECT max(id) FROM sighting WHERE probe_target_id = $0 AND algorithm = $1)
        """,
        6);

    private readonly Statement otherIntermediates = new(
        connection,
        """
        UPDATE sighting SET intermediates = $2 WHERE id = (SELECT max(id) FROM sighting WHERE probe_target_id = $0 AND algorithm = $1)
        """,
        3);

    // What a clock that was ahead has recorded counts as seen by now, or it would stay the latest.
    private readonly Statement setBack = new(
        connection,
        """
        UPDATE sighting SET first_seen = min(first_seen, $1), last_seen = $1,
               trusted_since = CASE WHEN last_seen > $2 THEN NULL ELSE min(trusted_since, $1) END,
               trusted_probes = CASE WHEN last_seen > $2 THEN 0 ELSE trusted_probes END
        WHERE probe_target_id = $0 AND last_seen > $1
        """,
        3);

    private readonly Statement trim = new(
        connection,
        """
        DELETE FROM sighting WHERE probe_target_id = $0 AND algorithm = $1 AND id <=
            (SELECT id FROM sighting WHERE probe_target_id = $0 AND algorithm = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)
        """,
        3);

    // What it said matters where something changed; of the same again, the last time is enough.
    private readonly Statement shorten = new(
        connection,
        """
        UPDATE observation SET transcript = NULL, timings = NULL
        WHERE id = (SELECT max(id) FROM observation WHERE probe_target_id = $0) AND outcome = $1
        """,
        2);

    private readonly Statement insert = new(
        connection,
        """
        INSERT INTO observation (probe_target_id, at, outcome, stage, detail, reply_code, certificates, timings, transcript)
        VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8)
        """,
        9);

    private readonly Statement forget = new(
        connection,
        """
        DELETE FROM observation WHERE probe_target_id = $0 AND id <=
            (SELECT id FROM observation WHERE probe_target_id = $0 ORDER BY id DESC LIMIT 1 OFFSET $1)
        """,
        2);

    /// <param name="now">The present: what is stored as later than it does not make the observation an old one.</param>
    /// <returns>The history as it is stored now; null where the observation is not newer than it.</returns>
    internal StoredHistory? Write(Observation observation, DateTimeOffset now)
    {
        var stored = targets.Read(observation.Target, mayKeep: false);
        var isOfFuture = stored.History.LastAttempt > now;
        var before = isOfFuture ? stored.History.AsOf(observation.At) : stored.History;
        var after = before.With(observation);
        if (ReferenceEquals(after, before))
            return null;
        after = Whole(after);
        var id = stored.Id != 0 ? stored.Id : targets.Ensure(observation.Target.Id);
        update.Execute(
            id, after.LastAttempt!.Value.Seconds(), after.LastOutcome.Name(), after.FailuresInARow, after.HasOfferedStartTls ? 1 : 0,
            after.BothAlgorithmsAt?.Seconds());
        if (isOfFuture)
            setBack.Execute(id, observation.At.Seconds(), (observation.At + CertificateRun.SmallCorrection).Seconds());
        // In the order in which they were presented.
        foreach (var run in after.CertificateRuns.Where(run => ReferenceEquals(run, after.Latest(run.Algorithm))))
            WriteRun(id, before.Latest(run.Algorithm), run, observation.At);
        foreach (var dropped in stored.History.CertificateRuns.Where(run => run.Certificate is not null).Select(run => run.Certificate!).Distinct()
            .Where(certificate => !after.CertificateRuns.Any(run => certificate.Equals(run.Certificate))))
            material.Drop(dropped);
        WriteObservation(id, observation);
        return new StoredHistory(id, stored.Version + 1, after);
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[update, begin, extend, otherIntermediates, setBack, trim, shorten, insert, forget])
            statement.Dispose();
    }

    private void WriteRun(long id, CertificateRun? before, CertificateRun after, DateTimeOffset at)
    {
        var name = after.Algorithm.Name();
        if (before is not null && Equals(before.Certificate, after.Certificate))
        {
            if (before.Probes == after.Probes)
                return;
            extend.Execute(id, name, after.Last.Seconds(), after.Probes, after.TrustedSince?.Seconds(), after.TrustedProbes);
            if (!Same(before.Intermediates, after.Intermediates))
                otherIntermediates.Execute(id, name, WriteDer(after.Intermediates));
            return;
        }

        begin.Execute(
            id, name, after.Certificate is { } certificate ? material.Keep(certificate, PinSubject.Certificate, at) : null,
            after.First.Seconds(), after.Last.Seconds(), after.Probes, after.TrustedSince?.Seconds(), after.TrustedProbes,
            WriteDer(after.Intermediates));
        trim.Execute(id, name, AddressHistory.MaxRuns);
    }

    private void WriteObservation(long id, Observation observation)
    {
        shorten.Execute(id, observation.Outcome.Name());
        insert.Execute(
            id, observation.At.Seconds(), observation.Outcome.Name(), observation.Stage.Name(), Plain(observation.Detail), observation.ReplyCode,
            observation.Certificates.IsDefaultOrEmpty
                ? null
                : JsonSerializer.Serialize([.. observation.Certificates.Select(ToDocument)], StoreJson.Default.StoredCertificateArray),
            observation.Timings.IsDefaultOrEmpty
                ? null
                : JsonSerializer.Serialize(
                    observation.Timings.GroupBy(timing => timing.Stage)
                        .ToDictionary(stage => stage.Key.Name(), stage => (long)stage.Sum(timing => timing.Elapsed.TotalMilliseconds)),
                    StoreJson.Default.DictionaryStringInt64),
            observation.Transcript.IsDefaultOrEmpty
                ? null
                : JsonSerializer.Serialize([.. observation.Transcript], StoreJson.Default.StringArray));
        forget.Execute(id, Kept);
    }

    // Whoever wrote it, a text that SQLite would cut must not keep the observation out.
    private static string? Plain(string? text) => text?.Replace("\0", "\\0", StringComparison.Ordinal);

    private static StoredCertificate ToDocument(PresentedCertificate presented) => new(
        presented.Certificate.Id.Hex, presented.Certificate.Algorithm.Name(), presented.Chain.Name(), presented.ChainDetail,
        presented.TlsVersion, presented.Cipher);

    private static bool Same(ImmutableArray<ImmutableArray<byte>> one, ImmutableArray<ImmutableArray<byte>> other) =>
        one.Length == other.Length && one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second.AsSpan()));

    private static string? WriteDer(ImmutableArray<ImmutableArray<byte>> intermediates) => intermediates.IsDefaultOrEmpty
        ? null
        : JsonSerializer.Serialize([.. intermediates.Select(der => Convert.ToBase64String(der.AsSpan()))], StoreJson.Default.StringArray);

    private static AddressHistory Whole(AddressHistory history) => history with
    {
        LastAttempt = history.LastAttempt?.Whole(),
        BothAlgorithmsAt = history.BothAlgorithmsAt?.Whole(),
        CertificateRuns = [.. history.CertificateRuns.Select(run => run with { First = run.First.Whole(), Last = run.Last.Whole(), TrustedSince = run.TrustedSince?.Whole() })],
    };
}
