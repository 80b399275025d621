using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Draws the destinations that are probed after a new key was seen, so that the brake can tell a renewal from a fault of our network.</summary>
/// <remarks>Five times as many as would set the brake: a fault that reaches a fifth of all is missed by one sample in several
/// hundred. Each further new key within the hour doubles the sample, and the pass does not end before it has been probed.</remarks>
internal sealed class BrakeSample(IProbeLedger ledger, RotationOptions options, Random random)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private const int Most = 500;

    private DateTimeOffset? last;
    private int drawn;

    /// <summary>Draws destinations other than the one that showed the new key.</summary>
    /// <param name="seenAt">The destination that showed the new key.</param>
    /// <param name="pinnedHosts">How many MX hosts the brake knows.</param>
    /// <param name="now">The present.</param>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read.</exception>
    public IEnumerable<NextHop> Draw(NextHop seenAt, int pinnedHosts, DateTimeOffset now)
    {
        // What was drawn later than now was drawn before the clock was set back.
        if (last is null || now - last >= Every || last > now)
            (last, drawn) = (now, 0);
        var first = 5 * Math.Max(options.BrakeAtLeast, (pinnedHosts * options.BrakePercent / 100) + 1);
        var size = Math.Min(drawn == 0 ? first : drawn, Most - drawn);
        if (size <= 0)
            return [];
        drawn += size;
        return ledger.Sample(size + 1, random).Where(key => key != seenAt).Take(size);
    }
}
