using System.Data.Common;
using Dapper;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>What the prober remembers of itself and of its machine.</summary>
internal sealed class ProberTable(DbConnection connection)
{
    /// <returns>When the machine's clock was last set by much; null where it never was.</returns>
    internal DateTimeOffset? ClockSetAt() => connection.ExecuteScalar<long?>("SELECT clock_set FROM prober WHERE id = 1")?.Time();

    internal void ClockSet(DateTimeOffset at) =>
        connection.Execute("UPDATE prober SET clock_set = @at WHERE id = 1", new { at = at.Seconds() });

    /// <returns>When the brake was last set; null where it never was.</returns>
    internal DateTimeOffset? BrakeSetAt() => connection.ExecuteScalar<long?>("SELECT brake_on FROM prober WHERE id = 1")?.Time();

    internal void BrakeSet(DateTimeOffset at) =>
        connection.Execute("UPDATE prober SET brake_on = @at WHERE id = 1", new { at = at.Seconds() });

    /// <summary>A time that has not come was written by a clock that was ahead, and that was set back since.</summary>
    internal void RecallFuture(DateTimeOffset now)
    {
        connection.Execute("UPDATE prober SET clock_set = @now WHERE id = 1 AND clock_set > @now", new { now = now.Seconds() });
        connection.Execute("UPDATE prober SET brake_on = @now WHERE id = 1 AND brake_on > @now", new { now = now.Seconds() });
    }
}
