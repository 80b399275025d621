using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store.Probing;

/// <summary>Drops what nobody refers to any more. Inside the caller's transaction.</summary>
internal sealed class Sweeper(SqliteConnection connection) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);
    private static readonly TimeSpan FindingMemory = TimeSpan.FromDays(90);

    // The longest brake_window, policydaemon.conf(5).
    private static readonly TimeSpan NewKeyMemory = TimeSpan.FromDays(30);

    // A target is written before the destination that it belongs to.
    private static readonly TimeSpan TargetGrace = TimeSpan.FromDays(1);

    private readonly Statement targets = new(
        connection,
        """
        DELETE FROM probe_target WHERE (last_attempt IS NULL OR last_attempt < $0)
          AND NOT EXISTS (SELECT 1 FROM probe_listing WHERE probe_target_id = probe_target.id)
        """,
        1);

    private readonly Statement material = new(
        connection,
        """
        DELETE FROM key_material WHERE NOT EXISTS (SELECT 1 FROM sighting WHERE key_material_id = key_material.id)
          AND NOT EXISTS (SELECT 1 FROM pin WHERE key_material_id = key_material.id)
        """,
        0);

    private readonly Statement newKeys = new(connection, "DELETE FROM new_key WHERE since < $0", 1);

    private readonly Statement findings = new(connection, "DELETE FROM finding WHERE closed < $0", 1);

    private DateTimeOffset? last;

    internal void SweepWhereDue(DateTimeOffset now)
    {
        if (last is { } before && now - before < Interval)
            return;
        last = now;
        targets.Execute((now - TargetGrace).Seconds());
        material.Execute();
        newKeys.Execute((now - NewKeyMemory).Seconds());
        findings.Execute((now - FindingMemory).Seconds());
    }

    public void Dispose()
    {
        targets.Dispose();
        material.Dispose();
        newKeys.Dispose();
        findings.Dispose();
    }
}
