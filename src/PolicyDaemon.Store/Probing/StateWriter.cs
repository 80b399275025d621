using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Writes what is remembered of a destination. A probe that found everything as it was writes one row.</summary>
internal sealed class StateWriter(SqliteConnection connection, TargetTable targets) : IDisposable
{
    private readonly Statement insert = new(
        connection,
        """
        INSERT INTO probe_state (destination_id, last_look, next_due, verdict, verdict_since, last_outcome, last_detail, resolution,
               resolved_at, listed_at, secure_since, was_secure, trusted_hosts)
        VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        13);

    private readonly Statement update = new(
        connection,
        """
        UPDATE probe_state SET last_look = $1, next_due = $2, verdict = $3, verdict_since = $4, last_outcome = $5, last_detail = $6,
               resolution = $7, resolved_at = $8, listed_at = $9, secure_since = $10, was_secure = $11, trusted_hosts = $12
        WHERE destination_id = $0
        """,
        13);

    private readonly Statement addListing = new(
        connection, "INSERT INTO probe_listing (destination_id, mx_host, probe_target_id, last_listed) VALUES ($0, $1, $2, $3)", 4);

    private readonly Statement setListing = new(
        connection, "UPDATE probe_listing SET last_listed = $3 WHERE destination_id = $0 AND mx_host = $1 AND probe_target_id = $2", 4);

    private readonly Statement removeListing = new(
        connection, "DELETE FROM probe_listing WHERE destination_id = $0 AND mx_host = $1 AND probe_target_id = $2", 3);

    private readonly Statement recall = new(
        connection, "UPDATE probe_state SET next_due = $0 WHERE next_due > $1 AND last_look > $0", 2);

    private readonly Statement changes = new(connection, "SELECT changes()", 0);

    private readonly Statement forgetNewKeys = new(connection, "DELETE FROM new_key WHERE since > $0", 1);

    /// <returns>How many destinations are due now that a clock which was ahead had put off.</returns>
    internal int RecallFuture(long now, long dueAfter)
    {
        forgetNewKeys.Execute(now);
        recall.Execute(now, Math.Max(now, dueAfter));
        return (int)(long)changes.Scalar()!;
    }

    internal void Write(long id, ProbeStateRow? before, List<Listing> known, ProbeResult round)
    {
        var at = round.At.Seconds();
        var verdict = round.Result.Verdict.Name();
        var worked = round.Resolution.Worked;
        var resolvedAt = worked ? round.Resolution.At.Seconds() : before?.ResolvedAt;
        object?[] values =
        [
            at, round.NextDue.Seconds(), verdict, before is not null && before.Verdict == verdict ? before.VerdictSince : at,
            round.Resolution.Outcome.Name(), round.Resolution.Detail, worked ? ResolutionMapping.ToJson(round.Resolution) : before?.Resolution,
            resolvedAt, worked ? at : before?.ListedAt, round.SecureSince?.Seconds(), round.WasSecure ? 1 : 0,
            round.TrustedHosts is null ? null : JsonSerializer.Serialize([.. round.TrustedHosts], StoreJson.Default.StringArray),
        ];
        (before is null ? insert : update).Execute([id, .. values]);
        WriteListings(id, known, round, worked ? at : before?.ListedAt ?? long.MaxValue, resolvedAt ?? 0);
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[insert, update, addListing, setListing, removeListing, recall, changes, forgetNewKeys])
            statement.Dispose();
    }

    /// <param name="listedAt">A target last listed at this time or later is listed now.</param>
    private void WriteListings(long id, List<Listing> known, ProbeResult round, long listedAt, long resolvedAt)
    {
        var old = known.ToDictionary(listing => (listing.MxHost, listing.Target));
        foreach (var target in round.Targets.DistinctBy(target => (target.MxHost, target.Target)))
        {
            var seconds = target.LastListed.Seconds();
            // Whoever reads it compares with the time of the resolution: earlier is not listed.
            long? lastListed = seconds >= listedAt ? null : Math.Min(seconds, resolvedAt - 1);
            if (!old.Remove((target.MxHost, target.Target.Id), out var listing))
                addListing.Execute(id, target.MxHost, targets.Ensure(target.Target.Id), lastListed);
            else if (listing.LastListed != lastListed)
                setListing.Execute(id, target.MxHost, listing.TargetId, lastListed);
        }

        foreach (var gone in old.Values)
            removeListing.Execute(id, gone.MxHost, gone.TargetId);
    }
}
