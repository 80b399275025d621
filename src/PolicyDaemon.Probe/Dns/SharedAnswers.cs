using System.Collections.Concurrent;
using DnsClient;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Answers about MX hosts, shared by the destinations behind them: a host that serves thousands is asked for once.</summary>
/// <remarks>
/// <para>An answer is kept for its TTL, counted from the question, and never longer than <see cref="Longest"/>: what a person has
/// changed in DNS must not have to wait for us. Failures, bogus answers and absences without a SOA record (RFC 2308 section 5) are
/// asked for anew each time.</para>
/// <para>An answer carries its AD bit. It is kept apart whether the resolver was believed when it was asked: what came before a
/// self-test passed is no evidence after it.</para>
/// </remarks>
internal sealed class SharedAnswers(DnsLookup lookup, TimeProvider time, int capacity = SharedAnswers.Capacity)
{
    /// <summary>The longest that an answer is kept, whatever its TTL.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    // Two generations of so many, a kilobyte each: enough for a round over 5,000 hosts with both families and TLSA.
    internal const int Capacity = 10_000;

    private readonly Lock guard = new();
    private volatile ConcurrentDictionary<Question, Kept> young = new();
    private volatile ConcurrentDictionary<Question, Kept> old = new();

    private long lastUntil;

    internal int Count => young.Count + old.Count;

    /// <param name="isTrusted">The resolver is trusted and its self-test is fresh and passed.</param>
    public async Task<DnsAnswer> AskAsync(string name, QueryType type, bool isTrusted, CancellationToken cancellation)
    {
        var question = new Question(name, type, isTrusted);
        var asked = time.GetTimestamp();
        if ((young.TryGetValue(question, out var kept) || old.TryGetValue(question, out kept)) && asked < kept.Until)
            return kept.Answer;
        var answer = await lookup.AskAsync(name, type, cancellation);
        if (answer.Life > TimeSpan.Zero)
            Keep(question, new Kept(answer, asked + (long)((answer.Life < Longest ? answer.Life : Longest).TotalSeconds * time.TimestampFrequency)));
        return answer;
    }

    /// <summary>Lets go of everything, once all of it is too old to be given out.</summary>
    public void Sweep()
    {
        lock (guard)
        {
            if ((!young.IsEmpty || !old.IsEmpty) && time.GetTimestamp() >= Volatile.Read(ref lastUntil))
                (young, old) = (new(), new());
        }
    }

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

    private readonly record struct Question(string Name, QueryType Type, bool IsTrusted);

    /// <param name="Until">A timestamp: how long an answer lives does not depend on what the clock is set to.</param>
    private sealed record Kept(DnsAnswer Answer, long Until);
}
