using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>What the lookup path did since the start, for the status and the journal. Every figure only grows, except the open connections.</summary>
public sealed class LookupCounters
{
    // A power of two. Reading the clock twice would be a tenth of a lookup; of one in so many it is nothing.
    private const int SampleOf = 64;

    private readonly AnswerCounters answers = new();
    private readonly DurationHistogram durations = new(DurationBounds.Lookup);
    private uint sample;
    private long nearMisses;
    private long connectionsAccepted;
    private long connectionsOpen;
    private long connectionsEvicted;
    private long connectionsRefused;
    private long protocolErrors;
    private long timeouts;
    private long acceptErrors;

    public long Found => answers.Count(LookupAnswerKind.Found);

    public long NotFound => answers.Count(LookupAnswerKind.NotFound);

    public long Temporary => answers.Count(LookupAnswerKind.Temporary);

    public long Permanent => answers.Count(LookupAnswerKind.Permanent);

    /// <summary>Misses whose host is configured in another form; they count as not found or temporary as well.</summary>
    public long NearMisses => Interlocked.Read(ref nearMisses);

    public long Lookups => Found + NotFound + Temporary + Permanent;

    public long ConnectionsAccepted => Interlocked.Read(ref connectionsAccepted);

    public long ConnectionsOpen => Interlocked.Read(ref connectionsOpen);

    /// <summary>Connections that made way for new ones at the limit.</summary>
    public long ConnectionsEvicted => Interlocked.Read(ref connectionsEvicted);

    /// <summary>New connections that were closed because the limit was reached and none could make way.</summary>
    public long ConnectionsRefused => Interlocked.Read(ref connectionsRefused);

    /// <summary>Malformed requests.</summary>
    public long ProtocolErrors => Interlocked.Read(ref protocolErrors);

    /// <summary>Connections ended because a request did not arrive, or a reply was not taken, in time.</summary>
    public long Timeouts => Interlocked.Read(ref timeouts);

    /// <summary>Failures to accept a connection, lack of descriptors above all.</summary>
    public long AcceptErrors => Interlocked.Read(ref acceptErrors);

    /// <summary>Lookups by protocol, map, answer and level; what never happened is left out.</summary>
    public IReadOnlyList<AnsweredLookups> ByAnswer => answers.Read();

    /// <summary>How long one in 64 lookups took, from its key to its answer, the wait for discovery included.</summary>
    public DurationCount Durations => durations.Read();

    /// <summary>True of one in 64 lookups, the first among them. Not synchronised: where two threads meet, another one is taken.</summary>
    internal bool IsSampled() => (sample++ & (SampleOf - 1)) == 0;

    internal void Took(TimeSpan elapsed) => durations.Add(elapsed);

    internal void Answered(MapProtocol protocol, MapName? map, LookupReply reply) => answers.Add(protocol, map, reply.Kind, reply.Text);

    internal void NearMiss() => Interlocked.Increment(ref nearMisses);

    internal void ConnectionOpened()
    {
        Interlocked.Increment(ref connectionsAccepted);
        Interlocked.Increment(ref connectionsOpen);
    }

    internal void ConnectionClosed() => Interlocked.Decrement(ref connectionsOpen);

    internal void ConnectionEvicted() => Interlocked.Increment(ref connectionsEvicted);

    internal void ConnectionRefused() => Interlocked.Increment(ref connectionsRefused);

    internal void ProtocolError() => Interlocked.Increment(ref protocolErrors);

    internal void TimedOut() => Interlocked.Increment(ref timeouts);

    internal void AcceptFailed() => Interlocked.Increment(ref acceptErrors);
}
