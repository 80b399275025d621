using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Probing;

/// <summary>The reading half of the ledger, over one session. For one thread at a time.</summary>
internal sealed class LedgerReader
{
    // Entries are looked up daily.
    private static readonly TimeSpan PublishedFor = TimeSpan.FromDays(3);

    private readonly StoreSession session;
    private readonly TargetTable targets;
    private readonly StateTable states;
    private readonly DestinationTable destinations;
    private readonly ProberTable prober;

    internal LedgerReader(StoreSession session, HistoryCache cache, TimeProvider time)
    {
        this.session = session;
        targets = new TargetTable(session.Connection, cache);
        states = new StateTable(session.Connection, targets);
        destinations = new DestinationTable(session.Connection);
        prober = new ProberTable(session.Connection);
        Due = new DueTable(session.Connection);
        Brake = new BrakeTable(session.Connection, time);
    }

    internal DbConnection Connection => session.Connection;

    /// <summary>Reads which destinations are to be probed, and when.</summary>
    internal DueTable Due { get; }

    /// <summary>The counts of MX hosts and new keys for the brake.</summary>
    internal BrakeTable Brake { get; }

    // The version and the rows behind it are of one moment only within a transaction.
    internal AddressHistory ReadHistory(ProbeTarget target) => InOneMoment(() => targets.Read(target, mayKeep: true).History);

    internal List<NextHop> Sharing(ProbeTarget target)
    {
        var keys = Connection.Query<string>(
            """
            SELECT DISTINCT d.key FROM probe_target t
            JOIN mx_target l ON l.probe_target_id = t.id
            JOIN destination d ON d.id = l.destination_id
            WHERE t.name = @Id
            """,
            new { target.Id }).ToList();
        return [.. keys.Where(key => NextHop.TryParse(key, out _, out _)).Select(NextHop.Parse)];
    }

    internal DestinationState? Read(NextHop key, DateTimeOffset now) => InOneMoment(() => ReadMoment(key, now));

    /// <summary>Reads without translating errors: the caller does, and opens another session after one.</summary>
    private T InOneMoment<T>(Func<T> work)
    {
        session.BeginRead();
        try
        {
            return work();
        }
        finally
        {
            session.Rollback();
        }
    }

    /// <summary>What discovery would answer, as far as it was found out lately and nothing is doubtful about it.</summary>
    private TlsPolicy? Published(NextHop key, DateTimeOffset now) =>
        Connection.QueryFirstOrDefault<string>("SELECT memory FROM discovered WHERE key = @Text", new { key.Text }) is { } json
        && DiscoveryJson.TryReadMemory(json, out var memory, out _)
        && DiscoveryVerdict.Of(memory, DiscoverySettings.Default, now) is { IsUnknown: false, LastRow: null, Row: not DiscoveryRow.PolicyCoversNone } verdict
        && (now - verdict.Facts.At).Duration() <= PublishedFor
            ? DiscoveredReply.Policy(verdict)
            : null;

    private DestinationState? ReadMoment(NextHop key, DateTimeOffset now)
    {
        // An entry that cannot be read is answered as a temporary error, and has no policy that a probe could judge; one that has ended, none any more.
        if (destinations.Find(key.Text) is not { Id: var id, Value: { } stored } || stored.At(now) is not { } destination)
            return null;
        var configured = new DestinationState
        {
            Key = key,
            Policy = destination.Policy,
            Mode = destination.Mode,
            Observe = destination.Observe,
            Pins = destination.Pins,
            ProbeAs = destination.ProbeAs,
            IsTemporary = destination.Until is not null,
            Published = key.CanPublish ? Published(key, now) : null,
            ExemptSince = destination.Policy.Level == TlsLevel.Default ? AuditLog.LevelSince(Connection, key.Text, TlsLevel.Default) : null,
        };
        if (destination.Pins.Any(pin => pin.State.IsRefused()))
            configured = configured with { Refusals = Refusals(destination) };
        if (states.Read(id) is not { } state)
            return configured;
        var listedAt = state.ListedAt ?? 0;
        return configured with
        {
            LastProbe = state.LastProbe.Time(),
            NextDue = state.NextDue.Time(),
            LastResolution = state.Resolution is null ? null : Resolutions.FromJson(state.Resolution, (state.ResolvedAt ?? 0).Time()),
            TrustedHosts = state.TrustedHosts is null
                ? null
                : [.. JsonSerializer.Deserialize(state.TrustedHosts, StoreJson.Default.StringArray) ?? []],
            SecureSince = state.SecureSince?.Time(),
            WasSecure = state.WasSecure != 0,
            ClockSetAt = prober.ClockSetAt(),
            Targets =
            [
                .. states.Targets(id).Select(target => new MxTarget(
                    target.MxHost, ProbeTarget.Parse(target.Target), (target.LastListed ?? listedAt).Time())),
            ],
        };
    }

    internal PinElsewhere? FindElsewhere(NextHop key, Fingerprint fingerprint) => PinsElsewhere.Find(Connection, key, fingerprint);

    private ImmutableArray<PinRefusal> Refusals(Destination destination)
    {
        var refused = destination.Pins.Where(pin => pin.State.IsRefused()).Select(pin => pin.Fingerprint).ToList();
        var evidence = PinEvidence.Read(Connection, destination.Key.Text, refused);
        return
        [
            .. refused.Where(evidence.ContainsKey).Select(pin => new PinRefusal(pin, evidence[pin].Actor, evidence[pin].Time, evidence[pin].Reason)),
        ];
    }
}
