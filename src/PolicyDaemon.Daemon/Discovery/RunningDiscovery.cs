using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Discovery at work with one set of settings: what lookups ask for is discovered, and what was found is answered from memory.</summary>
/// <remarks>
/// <code>
/// LookupService -> first sights: at once, the parked lookup is concluded as soon as the verdict is settled
///               -> renewals: one after the other where there is room, the old verdict is answered meanwhile
/// every minute  -> policies that are due, whether mail asks or not, page by page as long as each page is renewed and written
/// every second  -> what another program changed in the store
/// </code>
/// Nothing here can end the daemon: what cannot be done now is asked for again by the next lookup.
/// </remarks>
internal sealed class RunningDiscovery : IDiscoveryQueue, IAsyncDisposable
{
    private const int MaxQueued = 10_000;
    private const int MaxUnderWay = 512;
    private const int RenewalsAtOnce = 64;
    private const int NoticesAtOnce = 1000;

    private static readonly TimeSpan NoticePoll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RenewalPoll = TimeSpan.FromMinutes(1);

    private readonly Channel<(string Key, DiscoveryReason Reason)> wanted = Channel.CreateBounded<(string, DiscoveryReason)>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    private readonly Channel<ParkedLookup> waiting = Channel.CreateUnbounded<ParkedLookup>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim room = new(MaxUnderWay);
    private readonly CancellationTokenSource stop = new();
    private readonly DiscoveryOptions options;
    private readonly DiscoverySettings conditions;
    private readonly PostfixSettings postfix;
    private readonly DiscoveredStore store;
    private readonly ProberComposition parts;
    private readonly Discoverer discoverer;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly DiscoveryFindings findings;
    private readonly EntryLookups entries;
    private readonly Lock writing = new();
    private readonly List<Task> loops;
    private volatile RunningDiscovery? successor;
    private string? refused;

    public RunningDiscovery(Settings settings, DiscoveredStore store, ICurrentSnapshot current, ILogger logger, TimeProvider time)
    {
        options = settings.Discovery;
        postfix = settings.Postfix;
        conditions = options.Conditions(postfix);
        this.store = store;
        this.logger = logger;
        this.time = time;
        findings = new DiscoveryFindings(store, current, postfix, options.Mode == DiscoveryMode.On, time);
        entries = new EntryLookups(store, current, time);
        Served = new ServedDiscovery(
            options.Mode == DiscoveryMode.On, Records, new DiscoveryScope(options.Skip), DiscoveredReply.Unknown(conditions, options.DefersFirstSight), options.Wait, this);
        parts = new ProberComposition(settings.Probe, postfix, time);
        discoverer = parts.CreateDiscoverer(store, conditions, logger);
        discoverer.Found = result =>
        {
            Keep(result.Memory, result.Verdict);
            successor?.Remember(result.Memory);
        };
        loops = [Task.Run(FirstSightsAsync), Task.Run(RenewalsAsync)];
    }

    /// <summary>The part of discovery that lookups use.</summary>
    public ServedDiscovery Served { get; }

    public DiscoveredAnswers Records { get; } = new();

    /// <summary>What discovers, and what it did since these settings hold.</summary>
    public Discoverer Discoverer => discoverer;

    /// <summary>Policies in force that end within a day, as of the last minute.</summary>
    public long NearLapse { get; private set; }

    /// <summary>Takes over what the store remembers and protects mail.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public void Load()
    {
        findings.Load();
        foreach (var memory in store.ReadProtected())
        {
            // What was found meanwhile is newer.
            if (Records.Find(memory.Key.Text) is null)
                Remember(memory);
        }
    }

    /// <summary>Begins with what no lookup asks for. Only one may do that at a time: what another program changed is told once.</summary>
    public void Start()
    {
        loops.Add(Task.Run(() => EachAsync(NoticePoll, NoticesAsync)));
        loops.Add(Task.Run(() => EachAsync(NoticePoll, EntriesAsync)));
        // What is kept from before it was switched off is not renewed.
        if (options.MtaSts)
            loops.Add(Task.Run(() => EachAsync(RenewalPoll, PoliciesAsync)));
    }

    /// <summary>Tells another one, which is to take over, of everything from now on, and writes what was found until now.</summary>
    /// <returns>False where the store cannot be written.</returns>
    public Task<bool> HandOverAsync(RunningDiscovery? next)
    {
        successor = next;
        return discoverer.FlushAsync();
    }

    public bool TryWant(string canonicalKey) => wanted.Writer.TryWrite((canonicalKey, DiscoveryReason.Use));

    public bool TryWait(ParkedLookup lookup) => waiting.Writer.TryWrite(lookup);

    public async ValueTask DisposeAsync()
    {
        wanted.Writer.TryComplete();
        waiting.Writer.TryComplete();
        await stop.CancelAsync();
        await discoverer.DisposeAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (waiting.Reader.TryRead(out var left))
            left.Conclude(null);
        parts.Dispose();
        room.Dispose();
        stop.Dispose();
    }

    private async Task FirstSightsAsync()
    {
        await foreach (var lookup in waiting.Reader.ReadAllAsync(stop.Token))
        {
            if (Begin(lookup.Key) is not { } run)
            {
                lookup.Conclude(null);
                continue;
            }

            _ = ConcludeAsync(lookup, run);
            lookup.ShareDeadline(run.FirstWaited(lookup.Since));
        }
    }

    private async Task ConcludeAsync(ParkedLookup lookup, DiscoveryRun run)
    {
        try
        {
            var verdict = await run.Verdict;
            lookup.Conclude(DiscoveredRecord.Of(verdict, null, conditions, postfix, options.DefersFirstSight, time.GetUtcNow(), out _));
        }
#pragma warning disable CA1031 // said where it happened; the lookup goes on without a verdict
        catch (Exception)
#pragma warning restore CA1031
        {
            lookup.Conclude(null);
        }
    }

    private async Task RenewalsAsync()
    {
        await foreach (var (key, reason) in wanted.Reader.ReadAllAsync(stop.Token))
        {
            await room.WaitAsync(stop.Token);
            if (Begin(key, reason) is { } run)
                _ = FollowAsync(key, run);
            else
                room.Release();
        }
    }

    private async Task FollowAsync(string key, DiscoveryRun run)
    {
        await ((Task)run.Whole).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!run.Whole.IsCompletedSuccessfully)
            Records.Find(key)?.WantAgain();
        if (!stop.IsCancellationRequested)
            room.Release();
    }

    private DiscoveryRun? Begin(string key, DiscoveryReason reason = DiscoveryReason.Use)
    {
        try
        {
            return discoverer.Discover(NextHop.Parse(key), reason);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
#pragma warning disable CA1031 // of one destination; nobody else waits in vain for it
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Say(fault, ref refused);
            return null;
        }
    }

    /// <summary>Does something again and again until the end; whatever it meets is said once, and ends that turn only.</summary>
    private async Task EachAsync(TimeSpan period, Func<Task> work)
    {
        using var timer = new PeriodicTimer(period, time);
        string? said = null;
        while (await timer.WaitForNextTickAsync(stop.Token))
        {
            try
            {
                await work();
                said = null;
            }
#pragma warning disable CA1031 // a loop that ended would be missed by nobody until mail is
            catch (Exception fault) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Say(fault, ref said);
            }
        }
    }

    private void Say(Exception fault, ref string? said)
    {
        if (said == fault.Message)
            return;
        said = fault.Message;
        // The store's own findings say it, too.
        if (fault is DiscoveryStoreException)
            logger.DiscoveryStoreFailed(fault.Message);
        else
            logger.DiscoveryBroke(fault);
    }

    private async Task PoliciesAsync()
    {
        NearLapse = store.CountNearLapse(time.GetUtcNow() + TimeSpan.FromDays(1));
        while (await discoverer.RenewPoliciesAsync(RenewalsAtOnce, stop.Token) == RenewalsAtOnce)
        {
        }
    }

    /// <summary>Looks up what entries of their own stand against, or leave their answer to.</summary>
    private async Task EntriesAsync()
    {
        // Those of the round can wait while the cause of what fails is here.
        var next = entries.Next(withRound: discoverer.Trouble is null, out var asking);
        foreach (var key in next.Concat(asking.Where(key => Records.Find(key) is null)))
            wanted.Writer.TryWrite((key, DiscoveryReason.Entry));
        foreach (var key in findings.OfOtherFloors(asking.Where(key => Records.Find(key) is not null)))
            await ReadAgainAsync(key);
    }

    private async Task NoticesAsync()
    {
        var notices = store.ReadNotices(NoticesAtOnce);
        foreach (var key in notices.Select(notice => notice.Key).Distinct())
        {
            try
            {
                await ReadAgainAsync(key);
            }
#pragma warning disable CA1031 // of one destination: the others are not kept waiting by it for ever
            catch (Exception fault) when (fault is not DiscoveryStoreException && !stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                logger.DiscoveryBroke(fault);
            }
        }

        // Only now: what a fault of the store kept from being done is found again.
        if (notices.Count > 0)
            await store.RemoveNoticesAsync(notices[^1].Id);
        foreach (var key in findings.OfOtherFloors([]))
            await ReadAgainAsync(key);
        findings.NoteTrouble(discoverer.Trouble);
        await findings.WriteAsync();
    }

    private async Task ReadAgainAsync(string key)
    {
        if (!NextHop.TryParse(key, out var nextHop, out _))
            return;
        if (await store.ReadAsync([nextHop], stop.Token) is [var memory, ..])
        {
            Remember(memory);
            successor?.Remember(memory);
        }
        else
        {
            Forget(key);
            successor?.Forget(key);
        }
    }

    private void Remember(Discovered memory) => Keep(memory, DiscoveryVerdict.Of(memory, conditions, time.GetUtcNow()));

    private void Keep(Discovered memory, DiscoveryVerdict? verdict)
    {
        if (verdict is null)
            return;
        var record = DiscoveredRecord.Of(verdict, memory, conditions, postfix, options.DefersFirstSight, time.GetUtcNow(), out var remark, Served.Scope.Includes(memory.Key));
        lock (writing)
            Records.Put(memory.Key.Text, record);
        findings.Note(memory, verdict, remark is null ? verdict.Remarks : verdict.Remarks.Add(remark));
    }

    private void Forget(string key)
    {
        lock (writing)
            Records.Remove(key);
        findings.Forget(key);
    }
}
