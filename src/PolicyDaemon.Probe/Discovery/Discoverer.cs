using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;

namespace PolicyDaemon.Probe.Discovery;

/// <summary>Discovers destinations without an entry: who is discovered when, by one <see cref="DestinationDiscovery"/> each.</summary>
/// <remarks>One run per destination at a time, and everybody who asks meanwhile gets that one.</remarks>
public sealed class Discoverer : IAsyncDisposable
{
    private readonly IDiscoveredPolicies store;
    private readonly DnsResolvers dns;
    private readonly PolicyFetcher fetcher;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly DiscoveredWriter writer;
    private readonly DestinationDiscovery discovery;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<NextHop, DiscoveryRun> runs = [];

    /// <param name="fetcher">Disposed of with this.</param>
    /// <param name="random">Spreads the renewals of policies.</param>
    public Discoverer(
        IDiscoveredPolicies store, DnsResolvers dns, PolicyFetcher fetcher, DiscoverySettings settings, DiscovererOptions options, Random random,
        TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        this.store = store;
        this.dns = dns;
        this.fetcher = fetcher;
        this.time = time;
        this.logger = logger;
        writer = new DiscoveredWriter(store, options, time, logger);
        discovery = new DestinationDiscovery(dns, fetcher, writer, settings, options, random, time, logger, stop.Token);
    }

    /// <summary>Why so much fails that the cause is here; null where it does not. No verdict is lowered by a failure either way.</summary>
    public string? Trouble => discovery.Trouble;

    /// <summary>Counts of what was done since the beginning.</summary>
    public DiscoveryCounts Counts => discovery.Counters.Read();

    /// <inheritdoc cref="DnsResolvers.Failures"/>
    public IReadOnlyDictionary<string, long> DnsFailures => dns.Failures;

    /// <summary>Told of the result of every run, before anybody who follows that run goes on.</summary>
    public Action<DiscoveryResult>? Found { get; set; }

    /// <summary>Runs that are under way.</summary>
    public int Running
    {
        get
        {
            lock (runs)
                return runs.Count;
        }
    }

    /// <summary>Discovers a destination, or renews what is due of it.</summary>
    /// <param name="key">A key that <see cref="DiscoveryScope"/> includes.</param>
    /// <param name="reason">Who wants to know.</param>
    public DiscoveryRun Discover(NextHop key, DiscoveryReason reason)
    {
        lock (runs)
        {
            ObjectDisposedException.ThrowIf(stop.IsCancellationRequested, this);
            if (runs.TryGetValue(key, out var known))
                return known;
            var run = new DiscoveryRun(key);
            runs[key] = run;
            run.Whole = RunAsync(run, reason);
            // Whoever wants only the verdict has the fault from there.
            _ = run.Whole.ContinueWith(whole => whole.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return run;
        }
    }

    /// <summary>Fetches policies again that are due, whether mail asks for them or not: a policy must not lapse for want of mail.</summary>
    /// <returns>How many were tried and are due later now, in the store, too: where that is fewer, another call would meet the same ones.</returns>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public async Task<int> RenewPoliciesAsync(int most, CancellationToken cancellation)
    {
        var due = await store.ReadRenewalsAsync(time.GetUtcNow(), most, cancellation);
        var results = await Task.WhenAll(due.Select(key => Discover(key, DiscoveryReason.Renewal).Whole.WaitAsync(cancellation)));
        // What could not be fetched would be written with others a moment later.
        return await writer.FlushAsync() ? results.Count(result => result.Evidence?.Fetch is not null) : 0;
    }

    /// <summary>Writes what waits to be written.</summary>
    /// <returns>False where the store cannot be written.</returns>
    public Task<bool> FlushAsync() => writer.FlushAsync();

    /// <summary>Ends every run and writes what was found.</summary>
    public async ValueTask DisposeAsync()
    {
        List<DiscoveryRun> left;
        lock (runs)
        {
            if (stop.IsCancellationRequested)
                return;
            stop.Cancel();
            left = [.. runs.Values];
        }

        foreach (var run in left)
            await ((Task)run.Whole).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await writer.DisposeAsync();
        fetcher.Dispose();
        discovery.Dispose();
        stop.Dispose();
    }

    private async Task<DiscoveryResult> RunAsync(DiscoveryRun run, DiscoveryReason reason)
    {
        // Whoever asks may be the thread that answers lookups.
        await Task.Yield();
        try
        {
            var result = await discovery.RunAsync(run, reason);
            Found?.Invoke(result);
            End(run);
            run.Publish(result.Verdict);
            return result;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            End(run);
            run.Cancel(stop.Token);
            throw;
        }
        catch (Exception fault)
        {
            if (fault is not DiscoveryStoreException)
                logger.DiscoveryFailed(fault, run.Key.Text);
            End(run);
            run.Fail(fault);
            throw;
        }
    }

    // Before its end is told: who asks then wants another one.
    private void End(DiscoveryRun run)
    {
        lock (runs)
            runs.Remove(run.Key);
    }
}

/// <summary>Why a destination is discovered.</summary>
public enum DiscoveryReason
{
    /// <summary>Postfix asks for it: what is due is renewed.</summary>
    Use,

    /// <summary>An entry of its own stands against it, or leaves the answer to it: what is due is renewed, whether mail asks or not.</summary>
    Entry,

    /// <summary>The destination's MTA-STS policy is due to be fetched again, whether mail asks for the destination or not.</summary>
    Renewal,

    /// <summary>A person wants to know: everything is asked anew.</summary>
    Person,
}

/// <summary>How much discovery does at once, and for how long.</summary>
public sealed record DiscovererOptions
{
    /// <summary>Destinations whose DNS is asked at the same time; the others wait their turn.</summary>
    public int MaxDestinations { get; init; } = 64;

    /// <summary>For all DNS questions of a destination together; what is not answered by then has failed.</summary>
    public TimeSpan DnsTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How old a shared answer about an MX host may be, whatever its TTL.</summary>
    public TimeSpan OldestAnswer { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a verdict waits to be written with others, so that a busy day makes few transactions.</summary>
    public TimeSpan WriteDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When what could not be written is tried again.</summary>
    public TimeSpan WriteRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Verdicts that are written at once without waiting.</summary>
    public int WriteBatch { get; init; } = 256;
}
