using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Writes one observation and the history of its target.</summary>
/// <remarks>The history is continued from the rows, not from what the caller had in memory: another program may have probed meanwhile.</remarks>
internal sealed class ObservationWriter(DbConnection connection, TargetTable targets, MaterialTable material)
{
    private const int Kept = 30;

    /// <param name="now">The present. A stored history that is later than it was recorded by a clock that was ahead, and does not make the observation an old one.</param>
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
        // Typed, not var: Dapper's generator does not see the serializer's generated code.
        string? lastDialogue = LastDialogueDocuments.Write(after.LastDialogue, after.LastAttempt!.Value);
        connection.Execute(
            """
            UPDATE probe_target SET version = version + 1, last_attempt = @lastAttempt, last_outcome = @lastOutcome, last_dialogue = @lastDialogue, failures = @failures,
                   offered_starttls = @offeredStartTls, both_algorithms_at = @bothAlgorithmsAt
            WHERE id = @id
            """,
            new
            {
                id,
                lastAttempt = after.LastAttempt!.Value.Seconds(),
                lastOutcome = after.LastOutcome.Name(),
                lastDialogue,
                failures = (long)after.FailuresInARow,
                offeredStartTls = after.HasOfferedStartTls ? 1L : 0L,
                bothAlgorithmsAt = after.BothAlgorithmsAt?.Seconds(),
            });
        if (isOfFuture)
            SetBack(id, observation.At);
        // In the order in which they were presented.
        foreach (var run in after.CertificateRuns.Where(run => ReferenceEquals(run, after.Latest(run.Algorithm))))
            WriteRun(id, before.Latest(run.Algorithm), run, observation.At);
        foreach (var dropped in stored.History.CertificateRuns.Where(run => run.Certificate is not null).Select(run => run.Certificate!).Distinct()
            .Where(certificate => !after.CertificateRuns.Any(run => certificate.Equals(run.Certificate))))
            material.Drop(dropped);
        WriteObservation(id, observation);
        return new StoredHistory(id, stored.Version + 1, after);
    }

    /// <summary>Moves times that a clock that was ahead has recorded back to the present; otherwise they would stay the latest.</summary>
    private void SetBack(long target, DateTimeOffset to)
    {
        var (at, correction) = (to.Seconds(), (to + CertificateRun.SmallCorrection).Seconds());
        connection.Execute(
            """
            UPDATE certificate_run SET last_seen = @at, first_seen = CASE WHEN first_seen > @at THEN @at ELSE first_seen END,
                   trusted_since = CASE WHEN last_seen > @correction THEN NULL WHEN trusted_since > @at THEN @at ELSE trusted_since END,
                   trusted_probes = CASE WHEN last_seen > @correction THEN 0 ELSE trusted_probes END,
                   trusted_at = CASE WHEN last_seen > @correction THEN NULL ELSE trusted_at END
            WHERE probe_target_id = @target AND last_seen > @at
            """,
            new { target, at, correction });
    }

    private void WriteRun(long target, CertificateRun? before, CertificateRun after, DateTimeOffset at)
    {
        if (before is null || !Equals(before.Certificate, after.Certificate))
        {
            Begin(target, after, after.Certificate is { } certificate ? material.Keep(certificate, PinSubject.Certificate, at) : null);
            return;
        }

        if (before.Probes == after.Probes)
            return;
        Extend(target, after);
        if (!Same(before.Intermediates, after.Intermediates))
            ReplaceIntermediates(target, after);
    }

    private void Begin(long target, CertificateRun run, long? certificate)
    {
        var algorithm = run.Algorithm.Name();
        var trustedAt = WriteTimes(run.TrustedAt);
        connection.Execute(
            """
            INSERT INTO certificate_run (probe_target_id, algorithm, key_material_id, first_seen, last_seen, probes, trusted_since, trusted_probes, trusted_at,
                   intermediates)
            VALUES (@target, @algorithm, @certificate, @firstSeen, @lastSeen, @probes, @trustedSince, @trustedProbes, @trustedAt, @intermediates)
            """,
            new
            {
                target,
                algorithm,
                certificate,
                firstSeen = run.First.Seconds(),
                lastSeen = run.Last.Seconds(),
                probes = (long)run.Probes,
                trustedSince = run.TrustedSince?.Seconds(),
                trustedProbes = (long)run.TrustedProbes,
                trustedAt,
                intermediates = WriteDer(run.Intermediates),
            });
        connection.Execute(
            """
            DELETE FROM certificate_run WHERE probe_target_id = @target AND algorithm = @algorithm AND id <=
                (SELECT id FROM certificate_run WHERE probe_target_id = @target AND algorithm = @algorithm ORDER BY id DESC LIMIT 1 OFFSET @kept)
            """,
            new { target, algorithm, kept = (long)AddressHistory.MaxRuns });
    }

    private void Extend(long target, CertificateRun run) => connection.Execute(
        """
        UPDATE certificate_run SET last_seen = @lastSeen, probes = @probes, trusted_since = @trustedSince, trusted_probes = @trustedProbes,
               trusted_at = @trustedAt
        WHERE id = (SELECT max(id) FROM certificate_run WHERE probe_target_id = @target AND algorithm = @algorithm)
        """,
        new
        {
            target,
            algorithm = run.Algorithm.Name(),
            lastSeen = run.Last.Seconds(),
            probes = (long)run.Probes,
            trustedSince = run.TrustedSince?.Seconds(),
            trustedProbes = (long)run.TrustedProbes,
            trustedAt = WriteTimes(run.TrustedAt),
        });

    private void ReplaceIntermediates(long target, CertificateRun run) => connection.Execute(
        """
        UPDATE certificate_run SET intermediates = @intermediates
        WHERE id = (SELECT max(id) FROM certificate_run WHERE probe_target_id = @target AND algorithm = @algorithm)
        """,
        new { target, algorithm = run.Algorithm.Name(), intermediates = WriteDer(run.Intermediates) });

    private void WriteObservation(long target, Observation observation)
    {
        var outcome = observation.Outcome.Name();
        // What was said matters where something changed; of the same again, the last time is enough.
        connection.Execute(
            """
            UPDATE observation SET transcript = NULL, timings = NULL
            WHERE id = (SELECT max(id) FROM observation WHERE probe_target_id = @target) AND outcome = @outcome
            """,
            new { target, outcome });
        // Typed, not var: Dapper's generator does not see the serializer's generated code.
        string? certificates = observation.Certificates.IsDefaultOrEmpty
            ? null
            : JsonSerializer.Serialize([.. observation.Certificates.Select(ToDocument)], StoreJson.Default.StoredCertificateArray);
        string? timings = observation.Timings.IsDefaultOrEmpty
            ? null
            : JsonSerializer.Serialize(
                observation.Timings.GroupBy(timing => timing.Stage)
                    .ToDictionary(stage => stage.Key.Name(), stage => (long)stage.Sum(timing => timing.Elapsed.TotalMilliseconds)),
                StoreJson.Default.DictionaryStringInt64);
        string? transcript = observation.Transcript.IsDefaultOrEmpty ? null : JsonSerializer.Serialize([.. observation.Transcript], StoreJson.Default.StringArray);
        connection.Execute(
            """
            INSERT INTO observation (probe_target_id, at, outcome, stage, detail, reply_code, certificates, timings, transcript)
            VALUES (@target, @at, @outcome, @stage, @detail, @replyCode, @certificates, @timings, @transcript)
            """,
            new
            {
                target,
                at = observation.At.Seconds(),
                outcome,
                stage = observation.Stage.Name(),
                detail = Plain(observation.Detail),
                replyCode = (long?)observation.ReplyCode,
                certificates,
                timings,
                transcript,
            });
        // The last that met the server stays, however many failed since: what was found there holds until it is met again.
        var (secured, gone, injected) = (ProbeOutcome.Secured.Name(), ProbeOutcome.StartTlsNotSupported.Name(), ProbeOutcome.PlaintextInjected.Name());
        connection.Execute(
            """
            DELETE FROM observation WHERE probe_target_id = @target AND id <=
                (SELECT id FROM observation WHERE probe_target_id = @target ORDER BY id DESC LIMIT 1 OFFSET @kept)
              AND id <> (SELECT coalesce(max(id), 0) FROM observation WHERE probe_target_id = @target AND outcome IN (@secured, @gone, @injected))
            """,
            new { target, kept = (long)Kept, secured, gone, injected });
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

    private static string? WriteTimes(ImmutableArray<DateTimeOffset> times) => times.IsDefaultOrEmpty
        ? null
        : JsonSerializer.Serialize([.. times.Select(at => at.Seconds())], StoreJson.Default.Int64Array);

    private static AddressHistory Whole(AddressHistory history) => history with
    {
        LastAttempt = history.LastAttempt?.Whole(),
        BothAlgorithmsAt = history.BothAlgorithmsAt?.Whole(),
        CertificateRuns = [.. history.CertificateRuns.Select(run => run with { First = run.First.Whole(), Last = run.Last.Whole(), TrustedSince = run.TrustedSince?.Whole(), TrustedAt = [.. run.TrustedAt.Select(at => at.Whole())] })],
    };
}
