using PolicyDaemon.Core;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What the prober met and moved since the daemon started, for the status. It outlives the engines that add to it; safe for several tasks at once.</summary>
public sealed class ProbeCounters
{
    private const string Forgotten = "forgotten";

    private static readonly ProbeOutcome[] AllOutcomes = Enum.GetValues<ProbeOutcome>();
    private static readonly PinState[] AllStates = Enum.GetValues<PinState>();

    private readonly DurationHistogram durations = new(DurationBounds.Probe);
    private readonly long[] outcomes = new long[AllOutcomes.Length];
    private readonly long[] states = new long[AllStates.Length];
    private long forgotten;

    /// <summary>How long probes of addresses took.</summary>
    public DurationCount Durations => durations.Read();

    /// <summary>Probes of addresses by outcome, and destinations of which DNS named no address; what never happened is left out, but for success.</summary>
    public IReadOnlyDictionary<string, long> Outcomes =>
        AllOutcomes.Select((outcome, index) => (outcome, Count: Interlocked.Read(ref outcomes[index])))
            .Where(pair => pair.Count > 0 || pair.outcome == ProbeOutcome.Secured)
            .ToDictionary(pair => pair.outcome.Name(), pair => pair.Count);

    /// <summary>Pins by the state that the prober moved them to.</summary>
    public IReadOnlyDictionary<string, long> Transitions => AllStates
        .Select((state, index) => (Name: state.Name(), Count: Interlocked.Read(ref states[index])))
        .Append((Forgotten, Interlocked.Read(ref forgotten))).ToDictionary(pair => pair.Item1, pair => pair.Item2);

    internal void Probed(ProbeOutcome outcome, TimeSpan elapsed)
    {
        durations.Add(elapsed);
        Resolved(outcome);
    }

    /// <summary>Counts a destination of which DNS named no address.</summary>
    internal void Resolved(ProbeOutcome outcome) => Interlocked.Increment(ref outcomes[Array.IndexOf(AllOutcomes, outcome)]);

    /// <param name="state">Null where nothing is kept of the pin.</param>
    internal void Moved(PinState? state)
    {
        if (state is { } to)
            Interlocked.Increment(ref states[Array.IndexOf(AllStates, to)]);
        else
            Interlocked.Increment(ref forgotten);
    }
}

/// <summary>Counts the probes of addresses that are made, and how long each took; what stands in for one, an earlier observation, is none.</summary>
internal sealed class CountedProbe(IServerProbe probe, ProbeCounters counters, TimeProvider time) : IServerProbe
{
    public async Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var observation = await probe.ProbeAsync(target, bothAlgorithms, cancellation);
        counters.Probed(observation.Outcome, time.GetElapsedTime(began));
        return observation;
    }
}
