using System.Data.Common;
using Dapper;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Removes, once a day, targets, certificates and keys to which nothing refers any more. Inside the caller's transaction.</summary>
internal sealed class Sweeper(DbConnection connection)
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);
    private static readonly TimeSpan FindingMemory = TimeSpan.FromDays(90);

    // What the brake calls a usual day: 28 of them, and today.
    private static readonly TimeSpan NewKeyMemory = TimeSpan.FromDays(30);

    // A target is written before the destination that it belongs to.
    private static readonly TimeSpan TargetGrace = TimeSpan.FromDays(1);

    private DateTimeOffset? last;

    internal void SweepWhereDue(DateTimeOffset now)
    {
        if (last is { } before && now - before < Interval)
            return;
        last = now;
        connection.Execute(
            """
            DELETE FROM probe_target WHERE (last_attempt IS NULL OR last_attempt < @before)
              AND NOT EXISTS (SELECT 1 FROM mx_target WHERE probe_target_id = probe_target.id)
            """,
            new { before = (now - TargetGrace).Seconds() });
        connection.Execute(
            """
            DELETE FROM key_material WHERE NOT EXISTS (SELECT 1 FROM certificate_run WHERE key_material_id = key_material.id)
              AND NOT EXISTS (SELECT 1 FROM pin WHERE key_material_id = key_material.id)
            """);
        connection.Execute("DELETE FROM new_key WHERE since < @before", new { before = (now - NewKeyMemory).Seconds() });
        connection.Execute("DELETE FROM finding WHERE closed < @before", new { before = (now - FindingMemory).Seconds() });
    }
}
