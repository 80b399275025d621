using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;

namespace PolicyDaemon.Probe.Discovery;

/// <summary>Discovers one destination: gathers evidence where it is due, has it judged, and keeps what is to be remembered.</summary>
/// <remarks>
/// <code>
/// MX and TXT _mta-sts. at once -> addresses, aliases, TLSA of every host (DnsResolvers) -> the policy, where it is due (PolicyFetcher)
///   -> DiscoveryDecision (pure) -> DiscoveryVerdict (pure) -> the store (DiscoveredWriter)
/// </code>
/// <para>No more than 64 ask DNS at a time; a policy host that takes its time holds none of these places. What failed is not asked for again
/// before it is due, whoever asks. Which destinations are discovered, and when, is the matter of <see cref="Discoverer"/>.</para>
/// </remarks>
/// <param name="random">Spreads the renewals of policies.</param>
/// <param name="stop">Ends whatever is under way.</param>
internal sealed class DestinationDiscovery(
    DnsResolvers dns, PolicyFetcher fetcher, DiscoveredWriter writer, DiscoverySettings settings, DiscovererOptions options, Random random,
    TimeProvider time, ILogger logger, CancellationToken stop) : IDisposable
{
    private readonly SemaphoreSlim room = new(options.MaxDestinations);
    private readonly OwnTrouble lookups = new("DNS lookups for discovery");
    private readonly OwnTrouble fetches = new("fetches of MTA-STS policies");

    public DiscoveryCounters Counters { get; } = new();

    /// <summary>Why so much fails that the cause is here; null where it does not. No verdict is lowered by a failure either way.</summary>
    public string? Trouble => lookups.Trouble(Minute) ?? fetches.Trouble(Minute);

    private long Minute => time.GetTimestamp() / (60 * time.TimestampFrequency);

    /// <summary>Discovers a destination, or renews what is due of it; the verdict is published as soon as it is settled.</summary>
    public async Task<DiscoveryResult> RunAsync(DiscoveryRun run, DiscoveryReason reason)
    {
        var begun = time.GetTimestamp();
        var before = await writer.ReadAsync(run.Key, stop) ?? Discovered.Unseen(run.Key);
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
            var fetched = await fetcher.FetchAsync(run.Key.Host, stop);
            Counters.NoteFetch(fetched.Fetch.Status);
            fetches.Note(fetched.Fetch.Status is StsStatus.FetchError or StsStatus.WebPkiInvalid, Minute);
            evidence = evidence with { Fetch = fetched.Fetch, Answers = [.. evidence.Answers, .. fetched.Answers] };
            memory = DiscoveryDecision.Of(evidence, Spread());
        }

        if (evidence is { HasFacts: true } && memory.Failures > 0 && lookups.Trouble(Minute) is not null)
            memory = memory.PutOff(now);
        var result = await KeepAsync(was, memory, evidence);
        if (result.Evidence is not null)
            Counters.NoteRun(time.GetElapsedTime(begun));
        if (result.Change is { } change)
            Counters.NoteChange(change, settings);
        return result;
    }

    public void Dispose() => room.Dispose();

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
        var wantsFacts = isPerson || !before.IsKnown || (reason is DiscoveryReason.Use or DiscoveryReason.Entry && before.IsFactsDue(evidence.At));
        var wantsRecord = before.HasSts(settings) && (isPerson || StsRules.IsRecordDue(before.Sts, evidence.At));
        if (!wantsFacts && !wantsRecord)
            return evidence;

        await room.WaitAsync(stop);
        try
        {
            // Nothing is concluded from DNSSEC where DANE is switched off.
            var isVouched = settings.Dane && wantsFacts && await dns.IsTrustedAsync(stop);
            using var deadline = new CancellationTokenSource(options.DnsTimeout, time);
            var readsRecord = wantsRecord ? RecordAsync(run.Key, deadline.Token) : null;
            if (wantsFacts)
            {
                var reading = await dns.ReadMxAsync(run.Key, [], isVouched, options.OldestAnswer, deadline.Token, stop);
                lookups.Note(reading.State == MxState.Failed, Minute, ResolverFailure.Clause(reading.Resolution.Failures));
                evidence = evidence with
                {
                    IsVouched = isVouched,
                    Resolver = dns.Test?.Detail,
                    HasFacts = true,
                    Answers = [.. reading.Used.Distinct()],
                };
                // A resolver that does not validate any more calls everything insecure, and may have passed its test an hour ago.
                if (isVouched && DiscoveryDecision.LosesDane(evidence))
                {
                    isVouched = await dns.RetestAsync($"it was tested because less than before is secure of {run.Key}", stop);
                    evidence = evidence with { IsVouched = isVouched, Resolver = dns.Test?.Detail };
                }

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
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, stop);
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
