using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Answers one lookup from the snapshot in force, else from what was discovered. Allocates nothing for a known ASCII key, waits for nothing:
/// a lookup that must wait for discovery is handed back, parked.</summary>
/// <remarks>"Not found" is only said of a key that provably is not configured in a snapshot that is loaded; everything else is temporary.</remarks>
public sealed class LookupService
{
    private const int MaxAlias = 64;

    // No timestamp that a clock gives.
    private const long NotSampled = long.MinValue;

    private readonly ICurrentSnapshot current;
    private readonly LookupDemand demand;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly LogGate faults;
    private volatile PostfixSettings postfix;
    private volatile ServedDiscovery? discovery;
    private volatile FrozenDictionary<string, MapName>? aliases;

    public LookupService(
        ICurrentSnapshot current, PostfixSettings postfix, LookupDemand demand, LookupCounters counters, ILogger<LookupService> logger,
        TimeProvider time)
    {
        this.current = current;
        this.postfix = postfix;
        this.demand = demand;
        this.logger = logger;
        this.time = time;
        Counters = counters;
        faults = new LogGate(time);
    }

    public LookupCounters Counters { get; }

    /// <summary>The <c>[postfix]</c> section, of which a lookup takes the answer to a near miss; may be replaced while lookups run.</summary>
    public PostfixSettings Postfix
    {
        get => postfix;
        set => postfix = value;
    }

    /// <summary>Counts of the lookups that discovery answered.</summary>
    public DiscoveryCounters Discovered { get; } = new();

    /// <summary>What answers for destinations without an entry; null: nothing does. May be replaced while lookups run.</summary>
    public ServedDiscovery? Discovery
    {
        get => discovery;
        set => discovery = value;
    }

    /// <summary>Other names of the maps; may be replaced while lookups run.</summary>
    public FrozenDictionary<string, MapName>? Aliases
    {
        get => aliases;
        set => aliases = value;
    }

    /// <summary>Answers a request that names its map, as those of socketmap do.</summary>
    /// <param name="mapName">The map's name, exact octets.</param>
    /// <param name="rawKey">The key as Postfix sent it.</param>
    /// <param name="parked">Not null where the answer is not known yet: the reply is what <see cref="Conclude"/> gives once that has ended.</param>
    /// <returns>A reply whose text stays valid as long as it is referred to: it belongs to the snapshot or to the program.</returns>
    public LookupReply Answer(ReadOnlySpan<byte> mapName, ReadOnlySpan<byte> rawKey, out ParkedLookup? parked)
    {
        if (MapNames.TryParse(mapName, out var map) || IsAlias(mapName, out map))
            return Guarded(null, MapProtocol.Socketmap, map, rawKey, null, out parked);
        parked = null;
        var reply = new LookupReply(LookupAnswerKind.Permanent, "no such map here; the maps are tlspolicy and tlspolicy-tlsrpt"u8);
        Counters.Answered(MapProtocol.Socketmap, null, reply);
        return reply;
    }

    /// <summary>Answers without waiting: a destination whose first discovery has not ended is answered as an unknown one is (first_sight).</summary>
    public LookupReply Answer(ReadOnlySpan<byte> mapName, ReadOnlySpan<byte> rawKey)
    {
        var reply = Answer(mapName, rawKey, out var parked);
        return parked is null ? reply : Conclude(parked);
    }

    /// <summary>Answers without waiting: a destination whose first discovery has not ended is answered as an unknown one is (first_sight).</summary>
    public LookupReply Answer(MapName map, ReadOnlySpan<byte> rawKey)
    {
        var reply = Answer(map, rawKey, out var parked);
        return parked is null ? reply : Conclude(parked);
    }

    /// <summary>The answer of a lookup that waited, as far as it is known now; what a person has written meanwhile comes first.</summary>
    public LookupReply Conclude(ParkedLookup parked)
    {
        ArgumentNullException.ThrowIfNull(parked);
        parked.Conclude(null);
        var record = parked.Outcome.Result;
        Discovered.Unpark(record is not null);
        Span<byte> key = stackalloc byte[LookupKey.MaxCanonicalLength];
        return Guarded(parked, parked.Protocol, parked.Map, key[..Encoding.ASCII.GetBytes(parked.Key, key)], record, out _);
    }

    /// <summary>Answers a request of tcp_table, which names no map.</summary>
    public LookupReply Answer(MapName map, ReadOnlySpan<byte> rawKey, out ParkedLookup? parked) =>
        Guarded(null, MapProtocol.TcpTable, map, rawKey, null, out parked);

    /// <param name="waited">The lookup that waited; null for one that comes now.</param>
    /// <param name="found">What it waited for.</param>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, Postfix must hear TEMP: silence or a closed connection costs it a retry, \"not found\" the encryption.")]
    private LookupReply Guarded(
        ParkedLookup? waited, MapProtocol protocol, MapName map, scoped ReadOnlySpan<byte> rawKey, DiscoveredRecord? found, out ParkedLookup? parked)
    {
        LookupReply reply;
        parked = null;
        var began = waited is not null ? waited.Began : Counters.IsSampled() ? time.GetTimestamp() : NotSampled;
        try
        {
            reply = waited is null ? Decide(map, rawKey, out parked) : Decide(waited, map, rawKey, found);
            if (parked is not null)
            {
                parked.Protocol = protocol;
                parked.Began = began;
                return reply;
            }
        }
        catch (Exception exception)
        {
            if (faults.TryPass(out var suppressed))
                logger.LookupFailed(exception, PeerText.Escape(rawKey), suppressed);
            reply = new(LookupAnswerKind.Temporary, "internal error; see the journal of policyd"u8);
        }

        Counters.Answered(protocol, map, reply);
        if (began != NotSampled)
            Counters.Took(time.GetElapsedTime(began));
        return reply;
    }

    /// <summary>Counts and answers a malformed request.</summary>
    internal LookupReply Refuse(MapProtocol protocol, LookupAnswerKind kind, ReadOnlySpan<byte> reason)
    {
        Counters.ProtocolError();
        var reply = new LookupReply(kind, reason);
        Counters.Answered(protocol, null, reply);
        return reply;
    }

    private bool IsAlias(ReadOnlySpan<byte> mapName, out MapName map)
    {
        map = default;
        return aliases is { Count: > 0 } known && mapName.Length <= MaxAlias && known.TryGetValue(Encoding.Latin1.GetString(mapName), out map);
    }

    private LookupReply Decide(MapName map, scoped ReadOnlySpan<byte> rawKey, out ParkedLookup? parked)
    {
        parked = null;
        var snapshot = current.Current;
        if (snapshot is null)
            return new(LookupAnswerKind.Temporary, "no policies are loaded yet; see the journal of policyd"u8);

        // Most keys are canonical already, and need no copy.
        return LookupKey.IsCanonicalHost(rawKey) ? Decide(snapshot, map, rawKey, out parked) : DecideFolded(snapshot, map, rawKey, out parked);
    }

    private LookupReply DecideFolded(PolicySnapshot snapshot, MapName map, scoped ReadOnlySpan<byte> rawKey, out ParkedLookup? parked)
    {
        parked = null;
        Span<byte> canonical = stackalloc byte[LookupKey.MaxCanonicalLength];
        return LookupKey.Normalize(rawKey, canonical, out var length) switch
        {
            LookupKeyStatus.Canonical => Decide(snapshot, map, canonical[..length], out parked),
            LookupKeyStatus.NotADestination => new(LookupAnswerKind.NotFound, default),
            _ => new(LookupAnswerKind.Temporary, "the key cannot be mapped to an ASCII name (UTS #46)"u8),
        };
    }

    private LookupReply Decide(PolicySnapshot snapshot, MapName map, scoped ReadOnlySpan<byte> key, out ParkedLookup? parked)
    {
        parked = null;
        snapshot.TryFind(key, map, time, out var entry, out var hasOtherForm);
        var served = discovery;
        var record = served?.Records.Find(key);
        var origin = Precedence.Of(entry.Role, key, new SnapshotSources(snapshot, time, served?.Scope, record is { IsInScope: true }));
        var rule = new AnswerRule(origin, entry.Role, entry.Floor, hasOtherForm, postfix);
        if (hasOtherForm)
        {
            Counters.NearMiss();
            demand.Add(key, DemandKind.NearMiss);
        }

        if (rule.WithoutDiscovery is { } decided)
            return OfPerson(decided, entry, key);
        return origin == Origin.Discovery && served is not null && !IsKnown(served, record, key)
            ? OfUnknown(rule, snapshot, served, map, key, entry, out parked)
            : Of(rule, snapshot, served, record, map, key, entry);
    }

    /// <summary>Answers a lookup that was parked until its discovery ended, or until it may wait no longer.</summary>
    private LookupReply Decide(ParkedLookup waited, MapName map, scoped ReadOnlySpan<byte> key, DiscoveredRecord? record)
    {
        var snapshot = current.Current!;
        snapshot.TryFind(key, map, time, out var entry, out var hasOtherForm);
        var origin = Precedence.Of(entry.Role, key, new SnapshotSources(snapshot, time, waited.Discovery.Scope));
        var rule = new AnswerRule(origin, entry.Role, entry.Floor, hasOtherForm, postfix);
        return rule.WithoutDiscovery is { } decided ? OfPerson(decided, entry, key) : Of(rule, snapshot, waited.Discovery, record, map, key, entry);
    }

    /// <summary>The answer where a person decides, whatever discovery knows: an entry, or near_miss = temp.</summary>
    private LookupReply OfPerson(Answerer answerer, LookupReply entry, scoped ReadOnlySpan<byte> key)
    {
        if (answerer != Answerer.Entry)
            return new(LookupAnswerKind.Temporary, NearMissAnswers.TemporaryText);
        if (discovery is not null)
            Discovered.Answered(Origin.Entry, null);
        // A pinned key that was asked for makes its probe due, where the last one is old; that is decided elsewhere.
        if (entry.IsPinned)
            demand.Add(key, DemandKind.Pinned);
        return entry;
    }

    /// <summary>True where discovery has a verdict that still holds; a renewal that is due is asked for.</summary>
    private bool IsKnown(ServedDiscovery served, [NotNullWhen(true)] DiscoveredRecord? record, scoped ReadOnlySpan<byte> key)
    {
        if (record is null)
            return false;
        var now = DiscoveredRecord.Seconds(time.GetUtcNow());
        if (record.Touch(now) && !served.Queue.TryWant(Encoding.ASCII.GetString(key)))
            record.WantAgain();
        if (now >= record.ValidUntil)
            return false;
        if (now >= record.Due)
            Discovered.ServedStale();
        return true;
    }

    /// <summary>Never seen, or what was seen holds no longer.</summary>
    private LookupReply OfUnknown(
        AnswerRule rule, PolicySnapshot snapshot, ServedDiscovery served, MapName map, scoped ReadOnlySpan<byte> key, LookupReply entry, out ParkedLookup? parked)
    {
        parked = null;
        Discovered.FirstSight();
        var name = Encoding.ASCII.GetString(key);
        if (served.Answers && served.Wait > TimeSpan.Zero && Discovered.TryPark())
        {
            var waiting = new ParkedLookup(name, map, served, time);
            if (served.Queue.TryWait(waiting))
            {
                parked = waiting;
                return default;
            }

            waiting.Conclude(null);
            Discovered.Unpark(isInTime: true);
        }
        else
        {
            served.Queue.TryWant(name);
        }

        if (served.Answers)
            Discovered.DidNotWait();
        return Of(rule, snapshot, served, null, map, key, entry);
    }

    /// <summary>The answer of whoever answers by the rule.</summary>
    /// <param name="record">The verdict; null where nothing is known.</param>
    /// <param name="entry">The key's entry, of which the role says what it does.</param>
    private LookupReply Of(
        AnswerRule rule, PolicySnapshot snapshot, ServedDiscovery? served, DiscoveredRecord? record, MapName map, scoped ReadOnlySpan<byte> key, LookupReply entry)
    {
        var discovered = served is not { Answers: true } ? default : record is null ? served.Unknown : record.Reply(map);
        var hasDefault = snapshot.TryFindDefault(map, time, out var everybody);
        var answerer = rule.Of(
            key,
            served is { Answers: true } ? new DiscoverySide(discovered.Kind, record is { IsUnknown: false } ? record.Answer : null) : null,
            hasDefault ? new DefaultSide(everybody.Kind, everybody.Protection) : null);
        if (served is not null)
            Discovered.Answered(answerer == Answerer.Default ? Origin.Default : rule.Origin, record);
        return answerer switch
        {
            Answerer.Discovery => discovered,
            Answerer.BelowFloor => entry,
            Answerer.Default => everybody,
            _ => new(LookupAnswerKind.NotFound, default),
        };
    }
}
