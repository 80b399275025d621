using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads the state of probes for people.</summary>
internal sealed class ProbeStateReader
{
    private readonly DbConnection connection;
    private readonly TargetTable targets;
    private readonly StateTable states;

    internal ProbeStateReader(DbConnection connection)
    {
        this.connection = connection;
        targets = new TargetTable(connection, new HistoryCache());
        states = new StateTable(connection, targets);
    }

    /// <summary>True where the MX records were DNSSEC-secure and are not any more.</summary>
    internal bool HasLostSigning(NextHop key) =>
        states.FindId(key.Text) is { } id && states.Read(id) is { WasSecure: not 0, SecureSince: null };

    /// <returns>The state; null where the destination is not configured.</returns>
    internal ProbeState? Read(NextHop key)
    {
        if (states.FindId(key.Text) is not { } id)
            return null;
        if (states.Read(id) is not { } state)
            return new ProbeState();
        return new ProbeState
        {
            Verdict = DestinationVerdicts.TryParse(state.Verdict, out var verdict) ? verdict : DestinationVerdict.Unknown,
            VerdictSince = state.VerdictSince.Time(),
            LastProbe = state.LastProbe.Time(),
            NextDue = state.NextDue.Time(),
            Outcome = DnsOutcomes.TryParse(state.LastOutcome, out var outcome) ? outcome : DnsOutcome.Failed,
            Detail = state.LastDetail,
            Resolution = state.Resolution is null ? null : Resolutions.FromJson(state.Resolution, (state.ResolvedAt ?? 0).Time()),
            Addresses =
            [
                .. states.Targets(id).Select(target => new MxAddress
                {
                    MxHost = target.MxHost,
                    Listed = target.LastListed is null,
                    History = targets.Read(ProbeTarget.Parse(target.Target), mayKeep: true).History,
                }),
            ],
        };
    }

    /// <summary>Reads a summary of every destination that was probed.</summary>
    internal Dictionary<NextHop, ProbeSummary> Summaries()
    {
        var expires = Expires();
        var summaries = new Dictionary<NextHop, ProbeSummary>();
        foreach (var row in connection.Query<SummaryRow>(
            """
            SELECT d.key, d.id, s.verdict, s.verdict_since, s.last_probe, s.next_due
            FROM probe_state s JOIN destination d ON d.id = s.destination_id
            """).ToList())
        {
            if (NextHop.TryParse(row.Key, out var key, out _))
            {
                summaries[key] = new ProbeSummary(
                    DestinationVerdicts.TryParse(row.Verdict, out var verdict) ? verdict : DestinationVerdict.Unknown, row.VerdictSince.Time(),
                    row.LastProbe.Time(), row.NextDue.Time(), expires.TryGetValue(row.Id, out var until) ? until : null);
            }
        }

        return summaries;
    }

    /// <summary>How many destinations have each verdict; those that were never probed have none.</summary>
    internal List<NamedCount> CountVerdicts(bool observed) => connection.Query<NamedCount>(
        """
        SELECT s.verdict AS name, count(*) AS count FROM probe_state s JOIN destination d ON d.id = s.destination_id
        WHERE d.observe = @observe GROUP BY s.verdict
        """,
        new { observe = observed ? 1L : 0L }).ToList();

    /// <summary>Reads, by destination, when the first of the certificates in use expires. Each certificate is decoded once.</summary>
    private Dictionary<long, DateTimeOffset> Expires()
    {
        var ends = new Dictionary<long, DateTimeOffset?>();
        var expires = new Dictionary<long, DateTimeOffset>();
        foreach (var (destination, material) in connection.Query<InUseRow>(
            """
            SELECT DISTINCT l.destination_id AS destination, r.key_material_id AS material FROM mx_target l
            JOIN certificate_run r ON r.probe_target_id = l.probe_target_id
            WHERE l.last_listed IS NULL AND r.key_material_id IS NOT NULL
              AND r.id = (SELECT max(n.id) FROM certificate_run n WHERE n.probe_target_id = r.probe_target_id AND n.algorithm = r.algorithm)
            """).ToList())
        {
            if (!ends.TryGetValue(material, out var end))
                ends[material] = end = ServerCertificate.TryParse(Convert.FromBase64String(Der(material)))?.NotAfter;
            if (end is { } until && (!expires.TryGetValue(destination, out var known) || until < known))
                expires[destination] = until;
        }

        return expires;
    }

    private string Der(long material) => connection.QueryFirst<string>("SELECT der FROM key_material WHERE id = @material", new { material });

    internal sealed record SummaryRow(string Key, long Id, string Verdict, long VerdictSince, long LastProbe, long NextDue);

    internal sealed record InUseRow(long Destination, long Material);
}
