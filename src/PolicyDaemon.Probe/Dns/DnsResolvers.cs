using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Probe.Dns;

/// <summary>The configured resolvers with their self-test and their cache; the prober and discovery use the same one.</summary>
public sealed class DnsResolvers : IDisposable
{
    private readonly DnsLookup lookup;
    private readonly ResolverSelfTest selfTest;
    private readonly TimeProvider time;

    public DnsResolvers(DnsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.time = time;
        lookup = new DnsLookup(options, time);
        Shared = new SharedAnswers(lookup, time);
        selfTest = new ResolverSelfTest(options, lookup, time);
    }

    /// <summary>The addresses of the DNS resolvers, in the order in which they are asked.</summary>
    public ImmutableArray<IPEndPoint> Servers => lookup.Servers;

    /// <summary>The last self-test of a trusted resolver; null where none has run.</summary>
    public ResolverTest? Test => selfTest.Test;

    /// <summary>How often the resolvers failed to answer a question, by timeout, servfail, refused, bogus and other.</summary>
    public IReadOnlyDictionary<string, long> Failures => lookup.Failures.Read();

    internal SharedAnswers Shared { get; }

    public void Dispose()
    {
        selfTest.Dispose();
        lookup.Dispose();
    }

    /// <summary>True where the resolver is trusted and a fresh self-test has passed; runs the test where it is due.</summary>
    internal Task<bool> IsTrustedAsync(CancellationToken cancellation) => selfTest.IsTrustedAsync(cancellation);

    /// <inheritdoc cref="ResolverSelfTest.RetestAsync"/>
    internal Task<bool> RetestAsync(string occasion, CancellationToken cancellation) => selfTest.RetestAsync(occasion, cancellation);

    /// <summary>Looks up where the mail of a destination goes: MX, address and TLSA records, all hosts and address families at once.</summary>
    /// <param name="nextHop">The destination.</param>
    /// <param name="hosts">Host names for a key that answers for subdomains.</param>
    /// <param name="isTrusted">True where the resolver's AD bit counts.</param>
    /// <param name="oldest">How old an answer about an MX host may be. The MX records themselves are always asked for anew.</param>
    /// <param name="deadline">Ends the lookups: a question that is not answered by then has failed.</param>
    /// <param name="cancellation">Ends the lookups without a result.</param>
    internal async Task<MxReading> ReadMxAsync(
        NextHop nextHop, ImmutableArray<string> hosts, bool isTrusted, TimeSpan oldest, CancellationToken deadline, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, cancellation);
        var at = time.GetUtcNow();
        var answers = new Dictionary<DnsQuestion, DnsAnswer>();
        var running = new Dictionary<DnsQuestion, Task<DnsAnswer>>();
        while (true)
        {
            var reading = MxReader.Read(nextHop, hosts, at, answers.GetValueOrDefault);
            if (reading.Open.IsEmpty)
                return reading;
            foreach (var question in reading.Open)
            {
                if (!running.ContainsKey(question))
                    running[question] = question.Type == DnsType.Mx ? Shared.AskAnewAsync(question, isTrusted, either.Token) : Shared.AskAsync(question, isTrusted, oldest, either.Token);
            }

            await Task.WhenAny(running.Values);
            foreach (var (question, task) in running.Where(asked => asked.Value.IsCompleted).ToList())
            {
                running.Remove(question);
                answers[question] = await AnswerAsync(question, task, cancellation);
            }
        }
    }

    private async Task<DnsAnswer> AnswerAsync(DnsQuestion question, Task<DnsAnswer> task, CancellationToken cancellation)
    {
        try
        {
            return await task;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return DnsAnswer.Failed(question, time.GetUtcNow(), $"looking up {question}: not answered in the time for all questions");
        }
    }
}
