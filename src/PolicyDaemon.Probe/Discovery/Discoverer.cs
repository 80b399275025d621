using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;

namespace PolicyDaemon.Probe.Discovery;

/// <summary>Discovers destinations without an entry: gathers evidence where it is due, has it judged, and keeps what is to be remembered.</summary>
/// <remarks>
/// <code>
/// MX and TXT _mta-sts. at once -> addresses, aliases, TLSA of every host (DnsResolvers) -> the policy, where it is due (PolicyFetcher)
///   -> DiscoveryDecision (pure) -> DiscoveryVerdict (pure) -> the store
/// </code>
/// <para>One run per destination at a time, and everybody who asks meanwhile gets that one. Of runs that ask DNS no more than 64 are
/// under way; a policy host that takes its time holds none of these places. What failed is not asked for again before it is due,
/// whoever asks.</para>
/// </remarks>
public sealed class Discoverer : IAsyncDisposable
{
    private readonly DnsResolvers dns;
    private readonly PolicyFetcher fetcher;
    private readonly DiscoverySettings settings;
    private readonly DiscovererOptions options;
    private readonly Random random;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly DiscoveredWriter writer;
    private readonly IDiscoveredPolicies store;
    private readonly SemaphoreSlim room;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<NextHop, DiscoveryRun> runs = [];
    private readonly OwnTrouble lookups = new("DNS lookups for discovery");
    private readonly OwnTrouble fetches = new("fetches of MTA-STS policies");

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
        this.settings = settings;
        this.options = options;
        this.random = random;
        this.time = time;
        this.logger = logger;
        writer = new DiscoveredWriter(store, options, time, logger);
        room = new SemaphoreSlim(options.MaxDestinations);
    }

    /// <summary>Why so much fails that the cause is here; null where it does not. No verdict is lowered by a failure either way.</summary>
    public string? Trouble => lookups.Trouble(Minute) ?? fetches.Trouble(Minute);

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

    private long Minute => time.GetTimestamp() / (60 * time.TimestampFrequency);

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
        room.Dispose();
        stop.Dispose();
    }

    private async Task<DiscoveryResult> RunAsync(DiscoveryRun run, DiscoveryReason reason)
    {
        // Whoever asks may be the thread that answers lookups.
        await Task.Yield();
        try
        {
            var result = await DiscoverAsync(run, reason);
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

    private async Task<DiscoveryResult> DiscoverAsync(DiscoveryRun run, DiscoveryReason reason)
    {
        var before = await writer.ReadAsync(run.Key, stop.Token) ?? Discovered.Unseen(run.Key);
        var now = time.GetUtcNow();
        var was = DiscoveryVerdict.Of(before, settings, now);
        if (reason == DiscoveryReason.Use)
        {
            before = before with { Used = now };
            // After a restart, or when others took its room in memory: what was known is served while it is renewed, and nobody waits.
            if (was is { IsUnknown: false })
                run.Publish(was);
        }

        var evidence = new DiscoveryEvidence
        {
            Key = run.Key,
            At = now,
            IsVouched = false,
            Resolver = null,
            Conditions = settings,
            Before = before,
            HasFacts = false,
            Answers = [],
            Fetch = null,
        };

        evidence = await AskAsync(run, evidence, reason);
        var memory = DiscoveryDecision.Of(evidence, spread: 1);
        if (IsFetchDue(memory, before, reason, now))
        {
            PublishIfSettled(run, memory, now);
            var fetched = await fetcher.FetchAsync(run.Key.Host, stop.Token);
            fetches.Note(fetched.Fetch.Status is StsStatus.FetchError or StsStatus.WebPkiInvalid, Minute);
            evidence = evidence with { Fetch = fetched.Fetch, Answers = [.. evidence.Answers, .. fetched.Answers] };
            memory = DiscoveryDecision.Of(evidence, Spread());
        }

        if (evidence is { HasFacts: true } && memory.Failures > 0 && lookups.Trouble(Minute) is not null)
            memory = memory.PutOff(now);
        return await KeepAsync(was, memory, evidence);
    }

    private bool IsFetchDue(Discovered memory, Discovered before, DiscoveryReason reason, DateTimeOffset now)
    {
        if (!memory.HasSts(settings))
            return false;
        if (reason == DiscoveryReason.Person && (memory.Sts.Announcement == StsAnnouncement.Announced || memory.Sts.Kept is not null))
            return true;
        return StsRules.IsFetchDue(memory.Sts, before.Sts, now, memory.HasUncoveredHost(now));
    }

    private double Spread()
    {
        lock (random)
            return 0.8 + (0.4 * random.NextDouble());
    }

    /// <summary>Asks DNS for what is due.</summary>
    private async Task<DiscoveryEvidence> AskAsync(DiscoveryRun run, DiscoveryEvidence evidence, DiscoveryReason reason)
    {
        var before = evidence.Before;
        var isPerson = reason == DiscoveryReason.Person;
        var wantsFacts = isPerson || !before.IsKnown || (reason == DiscoveryReason.Use && before.IsFactsDue(evidence.At));
        var wantsRecord = before.HasSts(settings) && (isPerson || StsRules.IsRecordDue(before.Sts, evidence.At));
        if (!wantsFacts && !wantsRecord)
            return evidence;

        await room.WaitAsync(stop.Token);
        try
        {
            // Nothing is concluded from DNSSEC where DANE is switched off.
            var isVouched = settings.Dane && wantsFacts && await dns.IsTrustedAsync(stop.Token);
            using var deadline = new CancellationTokenSource(options.DnsTimeout, time);
            var readsRecord = wantsRecord ? RecordAsync(run.Key, deadline.Token) : null;
            if (wantsFacts)
            {
                var reading = await dns.ReadMxAsync(run.Key, [], isVouched, options.OldestAnswer, deadline.Token, stop.Token);
                lookups.Note(reading.State == MxState.Failed, Minute);
                evidence = evidence with
                {
                    IsVouched = isVouched,
                    Resolver = dns.Test?.Detail,
                    HasFacts = true,
                    Answers = [.. reading.Used.Distinct()],
                };
                if (readsRecord is not null)
                    PublishIfSettled(run, DiscoveryDecision.Of(evidence, spread: 1), evidence.At);
            }

            return readsRecord is null ? evidence : evidence with { Answers = [.. evidence.Answers, await readsRecord] };
        }
        finally
        {
            room.Release();
        }
    }

    private async Task<DnsAnswer> RecordAsync(NextHop key, CancellationToken deadline)
    {
        var question = StsRecord.Question(key);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, stop.Token);
        try
        {
            return await dns.Shared.AskAnewAsync(question, isTrusted: false, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return DnsAnswer.Failed(question, time.GetUtcNow(), $"looking up {question}: not answered in the time for all questions");
        }
    }

    /// <summary>Tells the mail that waits what nothing still under way can change; a policy in force holds while it is fetched anew.</summary>
    private void PublishIfSettled(DiscoveryRun run, Discovered memory, DateTimeOffset now)
    {
        if (DiscoveryVerdict.Of(memory, settings, now) is { IsUnknown: false } verdict
            && (verdict.Policy is not null || verdict.Row is DiscoveryRow.AllDane or DiscoveryRow.NoMail))
            run.Publish(verdict);
    }

    private async Task<DiscoveryResult> KeepAsync(DiscoveryVerdict? was, Discovered memory, DiscoveryEvidence evidence)
    {
        var verdict = DiscoveryVerdict.Of(memory, settings, evidence.At)
            ?? throw new InvalidOperationException($"nothing was found out about {memory.Key}");
        var hasNews = evidence.HasFacts || evidence.Answers.Length > 0 || evidence.Fetch is not null;
        if (!hasNews)
            return new DiscoveryResult(memory, verdict, null, null);
        var change = DiscoveryChange.Between(was, verdict, evidence);
        var entry = new DiscoveredEntry(memory, change);
        // A policy is in the store before it is served: neither a crash nor who makes lookups fail afterwards takes it away.
        if (memory.Sts.Kept != evidence.Before.Sts.Kept)
            await writer.AddDurablyAsync(entry);
        else
            writer.Add(entry);
        if (change is { From: { } from } && from != change.To)
            logger.VerdictChanged(memory.Key.Text, from.Name(), change.To.Name(), change.ToRow.Name());
        else
            logger.DestinationDiscovered(memory.Key.Text, verdict.Answer.Name(), verdict.Row.Name());
        return new DiscoveryResult(memory, verdict, change, evidence);
    }
}

/// <summary>Why a destination is discovered.</summary>
public enum DiscoveryReason
{
    /// <summary>Postfix asks for it: what is due is renewed.</summary>
    Use,

    /// <summary>Its policy is due, whether mail asks or not.</summary>
    Renewal,

    /// <summary>A person wants to know: everything is asked anew.</summary>
    Person,
}
