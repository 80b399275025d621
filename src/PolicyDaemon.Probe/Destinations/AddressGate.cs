using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>The one door to mail servers: one connection to an address at a time, spaced, bounded, and shared by everybody behind it.</summary>
/// <param name="probe">Makes the connection of a probe.</param>
/// <param name="ledger">Keeps the histories of targets and takes new observations; null where nothing is remembered or stored.</param>
/// <param name="memory">Which earlier observations may stand in for a connection.</param>
/// <param name="claims">Keeps other programs from the address meanwhile; null where there are none.</param>
internal sealed class AddressGate(
    IServerProbe probe, IProbeLedger? ledger, GateMemory memory, ScheduleOptions options, TimeProvider time, IAddressClaims? claims = null) : IDisposable
{
    private readonly Lock guard = new();
    private readonly Dictionary<IPAddress, Lane> lanes = [];

    // Timestamps, not dates: a clock that is set must neither hold a probe up nor let it come too early.
    private readonly Dictionary<IPNetwork, long> providers = [];
    private readonly SemaphoreSlim connections = new(options.MaxConnections);
    private readonly ConcurrentDictionary<ProbeTarget, TargetProbe> own = [];

    /// <summary>Probes a target, or returns an earlier observation of it where that may stand in.</summary>
    /// <param name="target">What to connect to.</param>
    /// <param name="notOlderThan">An observation since then may stand in, where the gate uses the ledger's memory.</param>
    /// <param name="bothAlgorithms">Also ask for a certificate of the other key algorithm, where that is due (<see cref="ScheduleOptions.OtherAlgorithmInterval"/>).</param>
    /// <param name="cancellation">Ends the wait for a turn, and the connection.</param>
    public async Task<TargetProbe> ProbeAsync(
        ProbeTarget target, DateTimeOffset notOlderThan, bool bothAlgorithms, CancellationToken cancellation)
    {
        if (StandIn(target, notOlderThan) is { } known)
            return known;
        var lane = Enter(target.Address);
        try
        {
            await lane.Turn.WaitAsync(cancellation);
            try
            {
                // Whoever was before us in the lane may have seen what we came for.
                if (StandIn(target, notOlderThan) is { } seen)
                    return seen;
                await SpaceAsync(lane, target.Address, cancellation);
                await connections.WaitAsync(cancellation);
                try
                {
                    return await ConnectAsync(target, bothAlgorithms, cancellation);
                }
                finally
                {
                    connections.Release();
                    lane.LastEnd = time.GetTimestamp();
                }
            }
            finally
            {
                lane.Turn.Release();
            }
        }
        finally
        {
            Leave(lane);
        }
    }

    /// <summary>The history of a target in the ledger; empty where there is none.</summary>
    public AddressHistory Remembered(ProbeTarget target) =>
        ledger?.ReadHistory(target).AsOf(time.GetUtcNow()) ?? new AddressHistory(target);

    public void Dispose()
    {
        connections.Dispose();
        foreach (var lane in lanes.Values)
            lane.Turn.Dispose();
    }

    /// <summary>Drops the lanes and providers whose spacing is over, so that memory does not grow with every address ever probed.</summary>
    public void Sweep()
    {
        var now = time.GetTimestamp();
        lock (guard)
        {
            foreach (var (address, lane) in lanes.Where(pair => pair.Value.Users == 0 && pair.Value.LastEnd + Ticks(options.AddressSpacing) <= now).ToList())
            {
                lanes.Remove(address);
                lane.Turn.Dispose();
            }

            foreach (var (network, _) in providers.Where(pair => pair.Value <= now).ToList())
                providers.Remove(network);
        }
    }

    private TargetProbe? StandIn(ProbeTarget target, DateTimeOffset notOlderThan)
    {
        if (memory == GateMemory.ThisRun)
            return own.TryGetValue(target, out var seen) ? seen with { IsNews = false } : null;
        var history = Remembered(target);
        var now = time.GetUtcNow();
        return Timetable.IsFresh(history, notOlderThan, now) || Timetable.HeldUntil(history, options, now) > now
            ? new TargetProbe(history, null, IsNews: false)
            : null;
    }

    private async Task<TargetProbe> ConnectAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        var stored = ledger?.ReadHistory(target);
        var before = Remembered(target);
        var observation = await ClaimedAsync(target, bothAlgorithms && IsTimeForBoth(before), cancellation);
        var after = before.AsOf(observation.At).With(observation);
        if (ledger is not null)
            await ledger.RecordAsync(observation);
        var seen = new TargetProbe(after, observation, stored?.LastAttempt is not null && IsNews(before, after));
        if (memory == GateMemory.ThisRun)
            own[target] = seen;
        return seen;
    }

    private async Task<Observation> ClaimedAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        if (claims is null)
            return await probe.ProbeAsync(target, bothAlgorithms, cancellation);
        await using var claim = await claims.ClaimAsync(target.Address, cancellation);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, claim.Lost);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            if (claim.IsHeld)
                return await probe.ProbeAsync(target, bothAlgorithms, both.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && both.IsCancellationRequested)
        {
            // Said below.
        }

        throw new LedgerUnavailableException($"the claim of {target.Address} could not be kept, so that another program may connect there");
    }

    /// <summary>
    /// Most servers have one certificate, and are asked for another once a week; one that has two shows both every time. One that refused
    /// TLS 1.2 finds a failed handshake in its log whenever it is asked, so it is asked seldom, but where it had another certificate.
    /// </summary>
    private bool IsTimeForBoth(AddressHistory before)
    {
        if (before.BothAlgorithmsAt is not { } known)
            return true;
        var showsTwo = before.HasSeveral || before.IsGivingOneUp;
        var refusesTls12 = before.LastDialogue?.SpeaksTls12 == false;
        if (showsTwo && !refusesTls12)
            return true;
        return time.GetUtcNow() - known >= (refusesTls12 && !showsTwo ? options.OtherAlgorithmIntervalWithoutTls12 : options.OtherAlgorithmInterval);
    }

    // What concerns everybody behind the address. A server that is only slow or down concerns each when its own time comes.
    private static bool IsNews(AddressHistory before, AddressHistory after) =>
        before.LostStartTls != after.LostStartTls
        || (before.LastOutcome == ProbeOutcome.PlaintextInjected) != (after.LastOutcome == ProbeOutcome.PlaintextInjected)
        || !after.Algorithms.Select(algorithm => after.Latest(algorithm)?.Certificate)
            .SequenceEqual(before.Algorithms.Select(algorithm => before.Latest(algorithm)?.Certificate));

    private async Task SpaceAsync(Lane lane, IPAddress address, CancellationToken cancellation)
    {
        var now = time.GetTimestamp();
        var start = lane.LastEnd is { } end ? Math.Max(now, end + Ticks(options.AddressSpacing)) : now;
        if (options.ProviderSpacing > TimeSpan.Zero)
        {
            lock (guard)
            {
                var provider = Provider(address);
                if (providers.TryGetValue(provider, out var free) && free > start)
                    start = free;
                providers[provider] = start + Ticks(options.ProviderSpacing);
            }
        }

        if (start > now)
            await Task.Delay(time.GetElapsedTime(now, start), time, cancellation);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private static IPNetwork Provider(IPAddress address)
    {
        var length = address.AddressFamily == AddressFamily.InterNetwork ? 24 : 48;
        var octets = address.GetAddressBytes();
        octets.AsSpan(length / 8).Clear();
        return new IPNetwork(new IPAddress(octets), length);
    }

    private Lane Enter(IPAddress address)
    {
        lock (guard)
        {
            if (!lanes.TryGetValue(address, out var lane))
                lanes.Add(address, lane = new Lane());
            lane.Users++;
            return lane;
        }
    }

    private void Leave(Lane lane)
    {
        lock (guard)
            lane.Users--;
    }

    private sealed class Lane
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public long? LastEnd { get; set; }

        public int Users { get; set; }
    }
}

/// <summary>Which earlier observations may stand in for a connection to a target.</summary>
internal enum GateMemory
{
    /// <summary>The ledger's, where the last one is fresh enough or the server asked for patience.</summary>
    Ledger,

    /// <summary>Only those of this gate: a person who asks now is never told what an earlier probe saw.</summary>
    ThisRun,
}

/// <summary>A target's history after its probe.</summary>
/// <param name="History">The history, the new observation included.</param>
/// <param name="Observation">The new observation; null where an earlier one stands in.</param>
/// <param name="IsNews">True where the observation differs from the history in a way that concerns every destination behind the address.</param>
internal readonly record struct TargetProbe(AddressHistory History, Observation? Observation, bool IsNews);
