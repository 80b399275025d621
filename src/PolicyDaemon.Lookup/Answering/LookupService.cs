using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Answers one lookup from the snapshot in force. Allocates nothing for an ASCII key, waits for nothing.</summary>
/// <remarks>"Not found" is only said of a key that provably is not configured in a snapshot that is loaded; everything else is temporary.</remarks>
public sealed class LookupService
{
    private readonly IPolicySource source;
    private readonly LookupDemand demand;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly LogGate faults;
    private volatile PostfixSettings postfix;

    public LookupService(
        IPolicySource source, PostfixSettings postfix, LookupDemand demand, LookupCounters counters, ILogger<LookupService> logger,
        TimeProvider time)
    {
        this.source = source;
        this.postfix = postfix;
        this.demand = demand;
        this.logger = logger;
        this.time = time;
        Counters = counters;
        faults = new LogGate(time);
    }

    public LookupCounters Counters { get; }

    /// <summary>What a near miss is answered; may be replaced while lookups run.</summary>
    public PostfixSettings Postfix
    {
        get => postfix;
        set => postfix = value;
    }

    /// <summary>Answers a request that names its map.</summary>
    /// <param name="mapName">The map's name, exact octets.</param>
    /// <param name="rawKey">The key as Postfix sent it.</param>
    /// <returns>A reply whose text stays valid as long as it is referred to: it belongs to the snapshot or to the program.</returns>
    public LookupReply Answer(ReadOnlySpan<byte> mapName, ReadOnlySpan<byte> rawKey)
    {
        if (MapNames.TryParse(mapName, out var map))
            return Answer(map, rawKey);
        Counters.Answered(LookupAnswerKind.Permanent);
        return new(LookupAnswerKind.Permanent, "no such map here; the maps are tlspolicy and tlspolicy-tlsrpt"u8);
    }

    /// <summary>Answers a lookup in one of the maps.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, Postfix must hear TEMP: silence or a closed connection costs it a retry, \"not found\" the encryption.")]
    public LookupReply Answer(MapName map, ReadOnlySpan<byte> rawKey)
    {
        LookupReply reply;
        try
        {
            reply = Decide(map, rawKey);
        }
        catch (Exception exception)
        {
            if (faults.TryPass(out var suppressed))
                logger.LookupFailed(exception, PeerText.Escape(rawKey), suppressed);
            reply = new(LookupAnswerKind.Temporary, "internal error; see the journal of policyd"u8);
        }

        Counters.Answered(reply.Kind);
        return reply;
    }

    /// <summary>A request that is none, so that it is counted where all answers are.</summary>
    internal LookupReply Refuse(LookupAnswerKind kind, ReadOnlySpan<byte> reason)
    {
        Counters.ProtocolError();
        Counters.Answered(kind);
        return new(kind, reason);
    }

    private LookupReply Decide(MapName map, ReadOnlySpan<byte> rawKey)
    {
        var snapshot = source.Current;
        if (snapshot is null)
            return new(LookupAnswerKind.Temporary, "no policies are loaded yet; see the journal of policyd"u8);

        Span<byte> canonical = stackalloc byte[LookupKey.MaxCanonicalLength];
        switch (LookupKey.Normalize(rawKey, canonical, out var length))
        {
            case LookupKeyStatus.Canonical:
                break;
            case LookupKeyStatus.NotADestination:
                return new(LookupAnswerKind.NotFound, default);
            default:
                return new(LookupAnswerKind.Temporary, "the key cannot be mapped to an ASCII name (UTS #46)"u8);
        }

        var key = canonical[..length];
        var isConfigured = snapshot.TryFind(key, map, out var reply);
        if (Precedence.Of(isConfigured && reply.IsInForce(time), key, new SnapshotSources(snapshot, time)) == Origin.Entry)
        {
            // A pinned key that was asked for makes its probe due, where the last one is old; that is decided elsewhere.
            if (reply.IsPinned)
                demand.Add(key, DemandKind.Pinned);
            return reply;
        }

        if (isConfigured || !snapshot.HasOtherForm(key))
            return new(LookupAnswerKind.NotFound, default);

        Counters.NearMiss();
        demand.Add(key, DemandKind.NearMiss);
        return postfix.NearMiss == NearMissAnswer.Temporary
            ? new(LookupAnswerKind.Temporary, NearMissAnswers.TemporaryText)
            : new(LookupAnswerKind.NotFound, default);
    }
}
