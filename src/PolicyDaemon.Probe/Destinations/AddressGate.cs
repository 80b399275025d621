using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>The one door to mail servers: one connection to an address at a time, spaced, bounded, and shared by everybody behind it.</summary>
internal sealed class AddressGate(IServerProbe probe, IProbeLedger ledger, ScheduleOptions options, TimeProvider time) : IDisposable
{
    private readonly Lock guard = new();
    private readonly Dictionary<IPAddress, Lane> lanes = [];

    // Timestamps, not dates: a clock that is set must neither hold a probe up nor let it come too early.
    private readonly Dictionary<IPNetwork, long> providers = [];
    private readonly SemaphoreSlim connections = new(options.MaxConnections);

    /// <summary>What a target shows, no older than asked for; from memory where that is fresh enough, or the server wants to be left alone.</summary>
    /// <returns>The history, and whether this call saw something in it change.</returns>
    public async Task<(AddressHistory History, bool Changed)> LookAsync(
        ProbeTarget target, DateTimeOffset notOlderThan, CancellationToken cancellation)
    {
        if (FromMemory(target, notOlderThan) is { } known)
            return (known, false);
        var lane = Enter(target.Address);
        try
        {
            await lane.Turn.WaitAsync(cancellation);
            try
            {
                // Whoever was before us in the lane may have seen what we came for.
                if (FromMemory(target, notOlderThan) is { } seen)
                    return (seen, false);
                await SpaceAsync(lane, target.Address, cancellation);
                await connections.WaitAsync(cancellation);
                try
                {
                    return await ProbeAsync(target, cancellation);
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

    public void Dispose()
    {
        connections.Dispose();
        foreach (var lane in lanes.Values)
            lane.Turn.Dispose();
    }

    /// <summary>Forgets lanes and providers whose spacing is over; they come back when they are needed.</summary>
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

    private AddressHistory? FromMemory(ProbeTarget target, DateTimeOffset notOlderThan)
    {
        var history = ledger.ReadHistory(target);
        var now = time.GetUtcNow();
        return Timetable.IsFresh(history, notOlderThan, now) || Timetable.HeldUntil(history, options, now) > now ? history : null;
    }

    private async Task<(AddressHistory History, bool Changed)> ProbeAsync(ProbeTarget target, CancellationToken cancellation)
    {
        var stored = ledger.ReadHistory(target);
        var before = stored.AsOf(time.GetUtcNow());
        // A server with one certificate, as most have, is asked for another once a day; one with two shows both every time.
        var both = before.HasSeveral || before.BothAlgorithmsAt is not { } known || time.GetUtcNow() - known >= options.OtherAlgorithmInterval;
        var observation = await probe.ProbeAsync(target, both, cancellation);
        var after = before.AsOf(observation.At).With(observation);
        await ledger.RecordAsync(observation, after);
        return (after, stored.LastAttempt is not null && IsNews(before, after));
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
