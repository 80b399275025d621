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
/// every minute  -> policies that are due, whether mail asks or not
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

    private readonly Channel<string> wanted = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
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
    private readonly Lock writing = new();
    private readonly Task[] loops;

    public RunningDiscovery(Settings settings, DiscoveredStore store, ICurrentSnapshot current, ILogger logger, TimeProvider time)
    {
        options = settings.Discovery;
        postfix = settings.Postfix;
        conditions = options.Conditions(postfix);
        this.store = store;
        this.logger = logger;
        this.time = time;
        findings = new DiscoveryFindings(store, current, time);
        Served = new ServedDiscovery(
            options.Mode == DiscoveryMode.On, Records, new DiscoveryScope(options.Skip), DiscoveredReply.Unknown(conditions, options.DefersFirstSight), options.Wait, this);
        parts = new ProberComposition(settings.Probe, postfix, time);
        discoverer = parts.CreateDiscoverer(store, conditions, logger);
        discoverer.Found = result => Keep(result.Memory, result.Verdict);
        loops = [Task.Run(FirstSightsAsync), Task.Run(RenewalsAsync), Task.Run(NoticesAsync), Task.Run(PoliciesAsync)];
    }

    /// <summary>What lookups see of it.</summary>
    public ServedDiscovery Served { get; }

    public DiscoveredAnswers Records { get; } = new();

    /// <summary>Why so much fails that the cause is here; null where it does not.</summary>
    public string? Trouble => discoverer.Trouble;

    /// <summary>Destinations that are being discovered now.</summary>
    public int Running => discoverer.Running;

    /// <summary>Takes over what the store remembers and protects mail.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public void Load()
    {
        var now = time.GetUtcNow();
        findings.Load();
        foreach (var memory in store.ReadProtected())
            Keep(memory, DiscoveryVerdict.Of(memory, conditions, now));
    }

    public bool TryWant(string canonicalKey) => wanted.Writer.TryWrite(canonicalKey);

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
            if (Begin(lookup.Key) is { } run)
                _ = ConcludeAsync(lookup, run);
            else
                lookup.Conclude(null);
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
        await foreach (var key in wanted.Reader.ReadAllAsync(stop.Token))
        {
            await room.WaitAsync(stop.Token);
            if (Begin(key) is { } run)
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

    private DiscoveryRun? Begin(string key)
    {
        try
        {
            return discoverer.Discover(NextHop.Parse(key), DiscoveryReason.Use);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private async Task PoliciesAsync()
    {
        using var timer = new PeriodicTimer(RenewalPoll, time);
        while (await timer.WaitForNextTickAsync(stop.Token))
        {
            try
            {
                while (await discoverer.RenewPoliciesAsync(RenewalsAtOnce, stop.Token) == RenewalsAtOnce)
                {
                }
            }
            catch (DiscoveryStoreException fault)
            {
                logger.DiscoveryStoreFailed(fault.Message);
            }
#pragma warning disable CA1031 // of one domain; said where it happened, and tried again in a minute
            catch (Exception fault) when (fault is not OperationCanceledException)
#pragma warning restore CA1031
            {
                logger.DiscoveryBroke(fault);
            }
        }
    }

    private async Task NoticesAsync()
    {
        using var timer = new PeriodicTimer(NoticePoll, time);
        string? said = null;
        while (await timer.WaitForNextTickAsync(stop.Token))
        {
            try
            {
                var keys = await store.TakeNoticesAsync(NoticesAtOnce);
                foreach (var key in keys)
                    await ReadAgainAsync(key);
                findings.NoteTrouble(discoverer.Trouble);
                await findings.WriteAsync();
                said = null;
            }
            catch (DiscoveryStoreException fault)
            {
                // The store's own findings say it, too; once here.
                if (said != fault.Message)
                    logger.DiscoveryStoreFailed(fault.Message);
                said = fault.Message;
            }
        }
    }

    private async Task ReadAgainAsync(string key)
    {
        if (!NextHop.TryParse(key, out var nextHop, out _))
            return;
        if (await store.ReadAsync([nextHop], stop.Token) is [var memory, ..])
            Keep(memory, DiscoveryVerdict.Of(memory, conditions, time.GetUtcNow()));
        else
            Forget(key);
    }

    private void Keep(Discovered memory, DiscoveryVerdict? verdict)
    {
        if (verdict is null)
            return;
        var record = DiscoveredRecord.Of(verdict, memory, conditions, postfix, options.DefersFirstSight, time.GetUtcNow(), out var remark);
        lock (writing)
            Records.Put(memory.Key.Text, record);
        // Where nothing is answered nothing waits and nothing is protected.
        if (Served.Answers)
            findings.Note(memory, remark is null ? verdict.Remarks : verdict.Remarks.Add(remark));
    }

    private void Forget(string key)
    {
        lock (writing)
            Records.Remove(key);
    }
}
