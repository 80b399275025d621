using System.Collections.Concurrent;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Dns;

/// <summary>The cache of DNS answers about MX hosts and policy hosts, shared by the destinations behind them: a host that serves thousands is asked about once.</summary>
/// <remarks>
/// <para>An answer is kept for its TTL, counted from the question, and never longer than <see cref="Longest"/>; who asks may want a
/// younger one. Failures, bogus answers and absences without a SOA record (RFC 2308 section 5) are asked for anew each time. Who asks
/// what is being asked for waits for the same answer.</para>
/// <para>An answer carries its AD bit. It is kept apart whether the resolver was believed when it was asked: what came before a
/// self-test passed is no evidence after it.</para>
/// </remarks>
internal sealed class SharedAnswers(DnsLookup lookup, TimeProvider time, int capacity = SharedAnswers.Capacity)
{
    /// <summary>The longest that an answer is kept, whatever its TTL: as long as a verdict that rests on it.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    // Two generations of so many, a kilobyte each: enough for a pass over 5,000 hosts with both families and TLSA.
    internal const int Capacity = 10_000;

    private readonly Lock guard = new();
    private readonly ConcurrentDictionary<Question, Task<DnsAnswer>> running = new();
    private volatile ConcurrentDictionary<Question, Kept> young = new();
    private volatile ConcurrentDictionary<Question, Kept> old = new();

    private long lastUntil;

    internal int Count => young.Count + old.Count;

    /// <summary>Answers a question, from the cache where the cached answer is young enough.</summary>
    /// <param name="asked">The question.</param>
    /// <param name="isTrusted">The resolver is trusted and its self-test is fresh and passed.</param>
    /// <param name="oldest">How old the answer may be, whatever its TTL.</param>
    public Task<DnsAnswer> AskAsync(DnsQuestion asked, bool isTrusted, TimeSpan oldest, CancellationToken cancellation)
    {
        var question = new Question(asked, isTrusted);
        var now = time.GetTimestamp();
        if ((young.TryGetValue(question, out var kept) || old.TryGetValue(question, out kept)) && now < kept.Until
            && time.GetElapsedTime(kept.Asked, now) < oldest)
            return Task.FromResult(kept.Answer);

        // Not cancelled with whoever began it: others may wait for it by then, and it has a deadline of its own.
        var mine = new TaskCompletionSource<DnsAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var shared = running.GetOrAdd(question, mine.Task);
        if (shared == mine.Task)
            _ = RunAsync(question, mine);
        return shared.WaitAsync(cancellation);
    }

    /// <summary>Asks a question past the cache, such as that for the MX records themselves.</summary>
    public async Task<DnsAnswer> AskAnewAsync(DnsQuestion asked, bool isTrusted, CancellationToken cancellation) =>
        Judged(await lookup.AskAsync(asked, cancellation), isTrusted);

    /// <summary>Drops all cached answers once the youngest of them has expired.</summary>
    public void Sweep()
    {
        lock (guard)
        {
            if ((!young.IsEmpty || !old.IsEmpty) && time.GetTimestamp() >= Volatile.Read(ref lastUntil))
                (young, old) = (new(), new());
        }
    }

    private async Task RunAsync(Question question, TaskCompletionSource<DnsAnswer> result)
    {
        try
        {
            var asked = time.GetTimestamp();
            var answer = await AskAnewAsync(question.Asked, question.IsTrusted, CancellationToken.None);
            if (answer.Ttl > TimeSpan.Zero)
                Keep(question, new Kept(answer, asked, asked + (long)((answer.Ttl < Longest ? answer.Ttl : Longest).TotalSeconds * time.TimestampFrequency)));
            result.SetResult(answer);
        }
        catch (Exception fault)
        {
            // Whoever waits sees it; the lookup turns what can be expected into an answer.
            result.SetException(fault);
        }
        finally
        {
            running.TryRemove(question, out _);
        }
    }

    /// <summary>The DNSSEC status of an answer: the resolver's AD bit counts only where the resolver is trusted.</summary>
    private static DnsAnswer Judged(DnsAnswer answer, bool isTrusted) =>
        isTrusted || !answer.Worked ? answer : answer with { Security = DnssecStatus.Unknown };

    private void Keep(Question question, Kept kept)
    {
        if (young.Count >= capacity)
        {
            lock (guard)
            {
                if (young.Count >= capacity)
                    (old, young) = (young, new());
            }
        }

        young[question] = kept;
        // An older one in its place would only be a sweep too early: what is swept is asked for anew.
        Volatile.Write(ref lastUntil, kept.Until);
    }

    private readonly record struct Question(DnsQuestion Asked, bool IsTrusted);

    /// <param name="Asked">When it was asked, as a timestamp of the monotonic clock: setting the wall clock neither keeps nor drops an answer.</param>
    /// <param name="Until">When the answer expires, as such a timestamp.</param>
    private sealed record Kept(DnsAnswer Answer, long Asked, long Until);
}
