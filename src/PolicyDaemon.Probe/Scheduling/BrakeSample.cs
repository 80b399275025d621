using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Which MX hosts to probe where a new key was seen, so that the brake can tell a renewal from a fault of our network.</summary>
/// <remarks>As many as the fewest that set the brake are the share of: of 50 hosts a fault that reaches a fifth of all spares every one in one
/// sample of 70,000. Each further new key within the hour doubles the sample, and the pass does not end before it has been probed.</remarks>
internal sealed class BrakeSample(IProbeLedger ledger, RotationOptions options, Random random)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private const int Most = 500;

    private DateTimeOffset? last;
    private IReadOnlyList<NextHop> hosts = [];
    private int drawn;

    /// <summary>Draws a destination behind each of some MX hosts.</summary>
    /// <param name="seenAt">Where a new key was seen.</param>
    /// <param name="now">The present.</param>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read.</exception>
    public IEnumerable<NextHop> Draw(NextHop seenAt, DateTimeOffset now)
    {
        // What was drawn later than now was drawn before the clock was set back.
        if (last is null || now - last >= Every || last > now)
            (hosts, last, drawn) = (ledger.Sample(Most, random), now, 0);
        var first = options.BrakeAtLeast * 100 / options.BrakePercent;
        var more = hosts.Skip(drawn).Take(Math.Max(drawn, first)).ToList();
        drawn += more.Count;
        return more.Where(key => key != seenAt);
    }
}
