using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>The tables probe_state and mx_target: a destination's verdict, its due time, its last DNS resolution and the targets of that.</summary>
internal sealed class StateTable(DbConnection connection, TargetTable targets)
{
    /// <returns>The destination's row; null where it is not configured.</returns>
    internal long? FindId(string key) => Find(key)?.Id;

    /// <returns>The destination that was probed; null where it is not configured.</returns>
    internal ProbedRow? Find(string key) =>
        connection.QueryFirstOrDefault<ProbedRow>("SELECT id, level FROM destination WHERE key = @key", new { key });

    /// <summary>Reads the end of a destination's entry.</summary>
    internal StoredEnd End(long destination)
    {
        var row = connection.QueryFirst<EndRow>("SELECT valid_until, former FROM destination WHERE id = @destination", new { destination });
        return new StoredEnd(row.ValidUntil, row.Former);
    }

    /// <returns>The row; null before the first probe.</returns>
    internal StateRow? Read(long destination) => connection.QueryFirstOrDefault<StateRow>(
        """
        SELECT last_probe, next_due, verdict, verdict_since, last_outcome, last_detail, resolution, resolved_at, listed_at, secure_since, was_secure,
               trusted_hosts
        FROM probe_state WHERE destination_id = @destination
        """,
        new { destination });

    /// <summary>The targets of a destination, by MX host, then by target.</summary>
    internal List<TargetRow> Targets(long destination) => connection.Query<TargetRow>(
        """
        SELECT l.mx_host, l.probe_target_id AS target_id, t.name AS target, l.last_listed
        FROM mx_target l JOIN probe_target t ON t.id = l.probe_target_id
        WHERE l.destination_id = @destination ORDER BY l.mx_host, t.name
        """,
        new { destination }).ToList();

    internal sealed record EndRow(long? ValidUntil, string? Former);

    /// <summary>Writes the result of a probe. Where nothing changed, that is one row.</summary>
    internal void Write(long destination, StateRow? before, ProbeResult result)
    {
        var at = result.At.Seconds();
        var verdict = result.Result.Verdict.Name();
        var worked = result.Resolution.Worked;
        // Typed, not var: Dapper's generator does not see the serializer's generated code.
        string? trustedHosts = result.TrustedHosts is null ? null : JsonSerializer.Serialize([.. result.TrustedHosts], StoreJson.Default.StringArray);
        string? resolution = worked ? Resolutions.ToJson(result.Resolution) : before?.Resolution;
        var values = new
        {
            destination,
            lastProbe = at,
            nextDue = result.NextDue.Seconds(),
            verdict,
            verdictSince = before is not null && before.Verdict == verdict ? before.VerdictSince : at,
            lastOutcome = result.Resolution.Outcome.Name(),
            lastDetail = result.Resolution.Detail,
            resolution,
            resolvedAt = worked ? result.Resolution.At.Seconds() : before?.ResolvedAt,
            listedAt = worked ? at : before?.ListedAt,
            secureSince = result.SecureSince?.Seconds(),
            // What a person said of an unsigned zone while the probe was under way stands.
            wasSecure = result.WasSecure && (before is not { WasSecure: 0 } || result.SecureSince is not null) ? 1L : 0L,
            trustedHosts,
        };
        if (before is null)
        {
            connection.Execute(
                """
                INSERT INTO probe_state (destination_id, last_probe, next_due, verdict, verdict_since, last_outcome, last_detail, resolution,
                       resolved_at, listed_at, secure_since, was_secure, trusted_hosts)
                VALUES (@destination, @lastProbe, @nextDue, @verdict, @verdictSince, @lastOutcome, @lastDetail, @resolution,
                       @resolvedAt, @listedAt, @secureSince, @wasSecure, @trustedHosts)
                """,
                values);
        }
        else
        {
            connection.Execute(
                """
                UPDATE probe_state SET last_probe = @lastProbe, next_due = @nextDue, verdict = @verdict, verdict_since = @verdictSince,
                       last_outcome = @lastOutcome, last_detail = @lastDetail, resolution = @resolution, resolved_at = @resolvedAt,
                       listed_at = @listedAt, secure_since = @secureSince, was_secure = @wasSecure, trusted_hosts = @trustedHosts
                WHERE destination_id = @destination
                """,
                values);
        }

        WriteTargets(destination, before is null ? [] : Targets(destination), result, values.listedAt ?? long.MaxValue, values.resolvedAt ?? 0);
    }

    /// <inheritdoc cref="IProbeLedger.RecallFuture"/>
    internal int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter)
    {
        var (present, after) = (now.Seconds(), Math.Max(now.Seconds(), dueAfter.Seconds()));
        connection.Execute("DELETE FROM new_key WHERE since > @present", new { present });
        return connection.Execute(
            "UPDATE probe_state SET next_due = @present WHERE next_due > @after AND last_probe > @present", new { present, after });
    }

    /// <param name="listedAt">A target last listed at this time or later is listed now.</param>
    private void WriteTargets(long destination, List<TargetRow> known, ProbeResult result, long listedAt, long resolvedAt)
    {
        var old = known.ToDictionary(target => (target.MxHost, target.Target));
        foreach (var target in result.Targets.DistinctBy(target => (target.MxHost, target.Target)))
        {
            var seconds = target.LastListed.Seconds();
            // Whoever reads it compares with the time of the resolution: earlier is not listed.
            long? lastListed = seconds >= listedAt ? null : Math.Min(seconds, resolvedAt - 1);
            if (!old.Remove((target.MxHost, target.Target.Id), out var row))
            {
                connection.Execute(
                    "INSERT INTO mx_target (destination_id, mx_host, probe_target_id, last_listed) VALUES (@destination, @MxHost, @targetId, @lastListed)",
                    new { destination, target.MxHost, targetId = targets.Ensure(target.Target.Id), lastListed });
            }
            else if (row.LastListed != lastListed)
            {
                connection.Execute(
                    "UPDATE mx_target SET last_listed = @lastListed WHERE destination_id = @destination AND mx_host = @MxHost AND probe_target_id = @TargetId",
                    new { destination, row.MxHost, row.TargetId, lastListed });
            }
        }

        foreach (var gone in old.Values)
        {
            connection.Execute(
                "DELETE FROM mx_target WHERE destination_id = @destination AND mx_host = @MxHost AND probe_target_id = @TargetId",
                new { destination, gone.MxHost, gone.TargetId });
        }
    }
}

/// <summary>The destination that was probed.</summary>
internal sealed record ProbedRow(long Id, string Level);

/// <summary>A row of probe_state.</summary>
internal sealed record StateRow(
    long LastProbe, long NextDue, string Verdict, long VerdictSince, string LastOutcome, string? LastDetail, string? Resolution,
    long? ResolvedAt, long? ListedAt, long? SecureSince, long WasSecure, string? TrustedHosts);

/// <summary>A row of mx_target, with the target's name.</summary>
/// <param name="LastListed">The last resolution that named the target; null while the last one that worked does.</param>
internal sealed record TargetRow(string MxHost, long TargetId, string Target, long? LastListed);
