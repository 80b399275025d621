using System.Net;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>What was measured of one pass, and of the rest behind it.</summary>
internal sealed class ProberPass(int number)
{
    /// <summary>Probes a second; the least is what is asked of the prober beside undisturbed lookups.</summary>
    internal const double LeastPace = 200, MostPace = 600;

    internal int Number { get; } = number;

    /// <summary>From the first probe to the last.</summary>
    internal TimeSpan Took { get; set; }

    /// <summary>For which the processor time was taken: the pass and a little before and behind it.</summary>
    internal TimeSpan Measured { get; set; }

    /// <summary>Of policyd, lookups included.</summary>
    internal TimeSpan Cpu { get; set; }

    /// <summary>Of the simulated servers.</summary>
    internal TimeSpan PeersCpu { get; set; }

    internal long Questions { get; set; }

    internal IReadOnlyList<(IPAddress Address, TimeSpan At)> Connections { get; set; } = [];

    /// <summary>99th percentiles of lookups while it ran, in µs.</summary>
    internal Samples Busy { get; } = new();

    /// <summary>Of these, those taken at a moderate pace, as a pass begins and ends: <see cref="LeastPace"/> to <see cref="MostPace"/>.</summary>
    internal Samples Paced { get; } = new();

    /// <summary>The same in the rest behind it.</summary>
    internal Samples Idle { get; } = new();

    /// <summary>Processor time of policyd per second of that rest: what the lookups cost.</summary>
    internal Samples IdleCpu { get; } = new();

    internal long ResidentKiB { get; set; }

    internal long AnonymousKiB { get; set; }

    internal int Descriptors { get; set; }

    internal long Threads { get; set; }

    internal int Addresses => Connections.Select(one => one.Address).Distinct().Count();

    /// <summary>Addresses with more connections than the most that one probe makes.</summary>
    internal int ConnectedAgain(int most) => Connections.GroupBy(one => one.Address).Count(address => address.Count() > most);
}
