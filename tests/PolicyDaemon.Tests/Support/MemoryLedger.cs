using System.Collections.Concurrent;
using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Tests.Support;

/// <summary>A ledger in memory that keeps what the contract says a ledger keeps.</summary>
internal sealed class MemoryLedger : IProbeLedger
{
    private readonly Lock guard = new();
    private readonly Dictionary<NextHop, DestinationState> destinations = [];
    private readonly Dictionary<NextHop, DateTimeOffset> due = [];
    private readonly List<NextHop> added = [];
    private readonly Dictionary<ProbeTarget, AddressHistory> histories = [];
    private readonly List<HostWithNewKey> newKeys = [];
    private DateTimeOffset? clockSetAt;
    private DateTimeOffset? brakeSetAt;

    /// <summary>How many MX hosts show a new key on a usual day.</summary>
    public int UsualDay { get; set; } = 10;

    public ConcurrentQueue<ProbeResult> Results { get; } = new();

    public ConcurrentQueue<Observation> Observations { get; } = new();

    public IReadOnlyList<Finding> ProberFindings { get; private set; } = [];

    public int ProberFindingsWritten { get; private set; }

    /// <summary>How often somebody asked what is due.</summary>
    public int Listed { get; private set; }

    /// <summary>The disk is full.</summary>
    public bool IsBroken { get; set; }

    public void Add(string key, params Pin[] pins) => Add(key, TlsLevel.Fingerprint, PinMode.Assist, pins);

    public void Add(string key, TlsLevel level, PinMode mode, params Pin[] pins)
    {
        lock (guard)
        {
            var nextHop = NextHop.Parse(key);
            added.Add(nextHop);
            destinations[nextHop] = new DestinationState
            {
                Key = nextHop,
                Policy = new TlsPolicy { Level = level },
                Mode = mode,
                Pins = [.. pins],
            };
        }
    }

    /// <summary>As if it had been probed.</summary>
    public void SetDue(string key, DateTimeOffset at)
    {
        lock (guard)
            due[NextHop.Parse(key)] = at;
    }

    public void Remove(string key)
    {
        lock (guard)
            destinations.Remove(NextHop.Parse(key));
    }

    /// <summary>What <c>pin approve</c> does.</summary>
    public void Approve(string key, Fingerprint fingerprint, DateTimeOffset now)
    {
        lock (guard)
        {
            var nextHop = NextHop.Parse(key);
            var before = destinations[nextHop];
            var pin = before.Pins.Single(known => known.Fingerprint == fingerprint);
            destinations[nextHop] = before with
            {
                Pins = before.Pins.Replace(pin, pin with { State = PinState.Active, Strength = PinStrength.Person, Since = now }),
            };
        }
    }

    public PinState? StateOf(string key, Fingerprint pin)
    {
        lock (guard)
            return destinations[NextHop.Parse(key)].Pins.FirstOrDefault(known => known.Fingerprint == pin)?.State;
    }

    public IReadOnlyList<ProbeDue> ListDue(DateTimeOffset until, int limit)
    {
        Check();
        Listed++;
        lock (guard)
            return [.. due.Where(one => destinations.ContainsKey(one.Key) && one.Value <= until).OrderBy(one => one.Value).Take(limit).Select(one => new ProbeDue(one.Key, one.Value))];
    }

    public UnprobedPage ListUnprobed(long after, int limit)
    {
        Check();
        lock (guard)
        {
            var page = added.Select((key, index) => (Key: key, Id: index + 1L))
                .Where(one => one.Id > after && destinations.ContainsKey(one.Key) && !due.ContainsKey(one.Key)).Take(limit).ToList();
            return new UnprobedPage([.. page.Select(one => one.Key)], page.Count == 0 ? after : page[^1].Id, page.Count < limit);
        }
    }

    public ProbeCounts Count(DateTimeOffset now)
    {
        Check();
        lock (guard)
            return new ProbeCounts(destinations.Count, destinations.Keys.Count(key => !due.TryGetValue(key, out var at) || at <= now));
    }

    public int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter)
    {
        Check();
        lock (guard)
        {
            newKeys.RemoveAll(key => key.Since > now);
            if (clockSetAt > now)
                clockSetAt = now;
            var late = due.Where(one => one.Value > now && one.Value > dueAfter && destinations.TryGetValue(one.Key, out var state) && state.LastProbe > now)
                .Select(one => one.Key).ToList();
            late.ForEach(key => due[key] = now);
            return late.Count;
        }
    }

    public void ClockSet(DateTimeOffset at)
    {
        Check();
        lock (guard)
            clockSetAt = at;
    }

    public PinElsewhere? FindElsewhere(NextHop key, Fingerprint fingerprint)
    {
        lock (guard)
        {
            var hosts = destinations[key].Targets.Select(target => target.MxHost).ToHashSet();
            return destinations.Values.Where(one => one.Key != key)
                .SelectMany(one => one.Pins, (one, pin) => (one, pin))
                .Where(other => other.pin.Fingerprint == fingerprint && (other.pin.IsServed || other.pin.State.IsRefused()))
                .Select(other => new PinElsewhere(fingerprint, other.one.Key, other.pin.State, other.one.Targets.Any(target => hosts.Contains(target.MxHost))))
                .OrderByDescending(other => other.SharesHost).FirstOrDefault();
        }
    }

    public IReadOnlyList<NextHop> Sample(int size, Random random)
    {
        lock (guard)
        {
            var hosts = destinations.Values.Where(one => one.Pins.Any(pin => pin.IsServed))
                .SelectMany(one => one.Targets, (one, target) => (one.Key, target.MxHost)).DistinctBy(one => one.MxHost).ToArray();
            random.Shuffle(hosts);
            return [.. hosts.Take(size).Select(one => one.Key)];
        }
    }

    public DestinationState? Read(NextHop key)
    {
        Check();
        lock (guard)
            return destinations.GetValueOrDefault(key) is { } state ? state with { ClockSetAt = clockSetAt } : null;
    }

    public AddressHistory ReadHistory(ProbeTarget target)
    {
        lock (guard)
            return histories.GetValueOrDefault(target) ?? new AddressHistory(target);
    }

    public IReadOnlyList<NextHop> Sharing(ProbeTarget target)
    {
        lock (guard)
            return [.. destinations.Values.Where(one => one.Targets.Any(known => known.Target == target)).Select(one => one.Key)];
    }

    public BrakeCounts ReadBrake(DateTimeOffset now, int least)
    {
        lock (guard)
        {
            var hour = newKeys.Where(key => key.Since >= now - Brake.Hour).ToList();
            var first = hour.Count == 0 ? now : hour.Min(key => key.Since);
            return new BrakeCounts
            {
                PinnedHosts = Pinned().Select(target => target.MxHost).Distinct().Count(),
                NewInHour = hour.Select(key => key.MxHost).Distinct().Count(),
                Probed = Pinned().Where(target => histories.TryGetValue(target.Target, out var history) && history.IsSecured && history.LastAttempt >= first)
                    .Select(target => target.MxHost).Distinct().Count(),
                NewInDay = newKeys.Where(key => key.Since >= now.AddDays(-1)).Select(key => key.MxHost).Distinct().Count(),
                UsualDay = UsualDay,
                SetAt = brakeSetAt,
            };
        }
    }

    public void BrakeSet(DateTimeOffset at)
    {
        Check();
        lock (guard)
            brakeSetAt = at;
    }

    private IEnumerable<MxTarget> Pinned() =>
        destinations.Values.Where(one => one.Pins.Any(pin => pin.IsServed)).SelectMany(one => one.Targets);

    public Task RecordAsync(Observation observation)
    {
        Check();
        lock (guard)
            histories[observation.Target] = (histories.GetValueOrDefault(observation.Target) ?? new AddressHistory(observation.Target)).AsOf(observation.At).With(observation);
        Observations.Enqueue(observation);
        return Task.CompletedTask;
    }

    public Task RecordAsync(ProbeResult result)
    {
        Record(result);
        return Task.CompletedTask;
    }

    public void Record(ProbeResult result)
    {
        Check();
        lock (guard)
        {
            if (!destinations.TryGetValue(result.Key, out var before))
                return;
            var pins = before.Pins;
            foreach (var transition in result.Result.Transitions)
            {
                var known = pins.FirstOrDefault(pin => pin.Fingerprint == transition.Fingerprint);
                if (transition.To is not { } state)
                {
                    pins = known is null ? pins : pins.Remove(known);
                    continue;
                }

                var next = new Pin(transition.Fingerprint, transition.Subject, state, transition.Strength, Seconds(result.At));
                if (known is null && transition.From is null)
                    pins = pins.Add(next);
                else if (known is not null && known.State == transition.From)
                    pins = pins.Replace(known, next);
            }

            newKeys.AddRange(result.Result.NewKeys);
            due[result.Key] = result.NextDue;
            destinations[result.Key] = before with
            {
                Pins = pins,
                LastProbe = result.At,
                NextDue = result.NextDue,
                LastResolution = result.Resolution.Worked ? result.Resolution : before.LastResolution,
                Targets = result.Targets,
                SecureSince = result.SecureSince,
                WasSecure = result.WasSecure,
                TrustedHosts = result.TrustedHosts,
            };
        }

        Results.Enqueue(result);
    }

    public IReadOnlyList<Finding> ReadProberFindings()
    {
        Check();
        return [.. ProberFindings];
    }

    public void Record(IReadOnlyList<Finding> proberFindings)
    {
        Check();
        ProberFindings = [.. proberFindings];
        ProberFindingsWritten++;
    }

    private static DateTimeOffset Seconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());

    private void Check()
    {
        if (IsBroken)
            throw new LedgerUnavailableException("no space left on device");
    }
}
