using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Findings;

/// <summary>The table finding: one open finding per kind, subject and node, however often it is raised.</summary>
internal static class FindingTable
{
    private const string Columns =
        """
        SELECT f.id, f.kind, f.subject, f.detail, f.remedy, f.since, f.last_seen, f.occurrences, f.outcome, f.expected, f.seen, f.affects, f.closed,
               f.notified, f.escalation, f.told_with, f.node, d.observe, d.valid_until, d.former, s.verdict, s.last_probe
        FROM finding f LEFT JOIN destination d ON d.key = f.subject LEFT JOIN probe_state s ON s.destination_id = d.id

        """;

    private const int RowsOfHistory = 20_000;

    // About as long as a pass: what comes back within it is the same finding.
    private static readonly TimeSpan SameAgain = TimeSpan.FromMinutes(10);

    /// <summary>Open findings, oldest first.</summary>
    /// <param name="now">The time, by which entries are in force, or have ended.</param>
    internal static List<FindingAlert> Open(DbConnection connection, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + "WHERE f.closed IS NULL ORDER BY f.since, f.id").ToList().Select(row => row.Read(now)).OfType<FindingAlert>()];

    /// <summary>Open findings of one kind, oldest first.</summary>
    internal static List<FindingAlert> OpenOf(DbConnection connection, FindingKind kind, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + "WHERE f.closed IS NULL AND f.kind = @kind ORDER BY f.since, f.id", new { kind = kind.Name() }).ToList()
            .Select(row => row.Read(now)).OfType<FindingAlert>()];

    /// <summary>Open findings behind one of them, in the order of subject and number. Those of a kind that is not known here are not among them.</summary>
    internal static List<FindingAlert> OpenAfter(DbConnection connection, string subject, long id, int most, DateTimeOffset now)
    {
        var found = new List<FindingAlert>();
        while (found.Count == 0)
        {
            var rows = connection.Query<Row>(
                Columns + "WHERE f.closed IS NULL AND (f.subject, f.id) > (@subject, @id) ORDER BY f.subject, f.id LIMIT @most",
                new { subject, id, most = (long)most }).ToList();
            if (rows.Count == 0)
                break;
            found.AddRange(rows.Select(row => row.Read(now)).OfType<FindingAlert>());
            (subject, id) = (rows[^1].Subject, rows[^1].Id);
        }

        return found;
    }

    internal static bool IsOpen(DbConnection connection, FindingKind kind, string subject, string? node) =>
        connection.ExecuteScalar<long>(
            "SELECT count(*) FROM finding WHERE kind = @kind AND subject = @subject AND node = @node AND closed IS NULL",
            new { kind = kind.Name(), subject, node = node ?? "" }) > 0;

    /// <summary>Open findings about one subject, oldest first.</summary>
    internal static List<Finding> OpenAbout(DbConnection connection, string subject, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + "WHERE f.closed IS NULL AND f.subject = @subject ORDER BY f.since, f.id", new { subject }).ToList()
            .Select(row => row.Read(now)).OfType<FindingAlert>().Select(alert => alert.Finding)];

    /// <summary>Open findings, and closed ones of whose opening people were told and not yet of their end; oldest first.</summary>
    internal static List<FindingAlert> Alerts(DbConnection connection, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + "WHERE f.closed IS NULL").ToList()
            // Of its own, so that each of the two finds its index.
            .Concat(connection.Query<Row>(Columns + "WHERE f.closed IS NOT NULL AND f.notified IS NOT NULL AND f.recovered IS NULL").ToList())
            .OrderBy(row => row.Since).ThenBy(row => row.Id)
            .Select(row => row.Read(now)).OfType<FindingAlert>()];

    internal static Dictionary<FindingKind, long> NumbersAbout(DbConnection connection, string subject, DateTimeOffset now) =>
        connection.Query<Row>(Columns + "WHERE f.closed IS NULL AND f.subject = @subject ORDER BY f.id", new { subject }).ToList()
            .Select(row => row.Read(now)).OfType<FindingAlert>().DistinctBy(alert => alert.Finding.Kind).ToDictionary(alert => alert.Finding.Kind, alert => alert.Id);

    /// <summary>A finding and the others of its kind about its subject, the newest first; of what is long past as much as lies among the last rows.</summary>
    internal static List<FindingAlert> WithHistory(DbConnection connection, long id, int most, DateTimeOffset now)
    {
        if (connection.QueryFirstOrDefault<Row>(Columns + "WHERE f.id = @id", new { id })?.Read(now) is not { } finding)
            return [];
        var (kind, subject) = (finding.Finding.Kind.Name(), finding.Finding.Subject);
        // No index leads from a subject to what is closed.
        var oldest = connection.ExecuteScalar<long>("SELECT coalesce(max(id), 0) FROM finding") - RowsOfHistory;
        return
        [
            .. connection.Query<Row>(
                Columns + "WHERE f.id > @oldest AND f.id <> @id AND f.kind = @kind AND f.subject = @subject AND f.node = @node ORDER BY f.id DESC LIMIT @most",
                new { oldest, id, kind, subject, node = finding.Finding.Node ?? "", most = (long)most }).ToList()
                .Select(row => row.Read(now)).OfType<FindingAlert>().Append(finding).OrderByDescending(alert => alert.Id),
        ];
    }

    internal static void Raise(DbConnection connection, Finding finding, DateTimeOffset now)
    {
        // Typed, not var: Dapper's generator does not see the serializer's generated code.
        string? expected = finding.Expected.IsDefaultOrEmpty ? null : JsonSerializer.Serialize([.. finding.Expected.Select(pin => pin.Hex)], StoreJson.Default.StringArray);
        string? seen = finding.Seen.IsDefaultOrEmpty ? null : JsonSerializer.Serialize([.. finding.Seen.Select(ToDocument)], StoreJson.Default.PresentedKeyDocumentArray);
        var (kind, outcome, node) = (finding.Kind.Name(), finding.Outcome?.Name(), finding.Node ?? "");
        // What ended a moment ago, and of whose end nobody heard, has not ended.
        connection.Execute(
            """
            UPDATE finding SET closed = NULL
            WHERE id = (SELECT max(id) FROM finding WHERE kind = @kind AND subject = @Subject AND node = @node AND closed >= @recent AND recovered IS NULL)
              AND NOT EXISTS (SELECT 1 FROM finding WHERE kind = @kind AND subject = @Subject AND node = @node AND closed IS NULL)
            """,
            new { kind, finding.Subject, node, recent = (now - SameAgain).Seconds() });
        connection.Execute(
            """
            INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences, outcome, expected, seen, affects, escalation, node)
            VALUES (@kind, @Subject, @Detail, @Remedy, @since, @lastSeen, 1, @outcome, @expected, @seen, @affects, 0, @node)
            ON CONFLICT (kind, subject, node) WHERE closed IS NULL
            DO UPDATE SET detail = excluded.detail, remedy = excluded.remedy, last_seen = excluded.last_seen,
                          occurrences = finding.occurrences + 1, outcome = excluded.outcome, expected = excluded.expected,
                          seen = excluded.seen, affects = excluded.affects
            """,
            new
            {
                kind, finding.Subject, finding.Detail, finding.Remedy, since = finding.Since.Seconds(), lastSeen = now.Seconds(), outcome, expected,
                seen, affects = (long)finding.Affects, node,
            });
    }

    /// <param name="node">Whose it is; null for one of all nodes.</param>
    /// <returns>False where none was open.</returns>
    internal static bool Close(DbConnection connection, FindingKind kind, string subject, DateTimeOffset now, string? node = null) =>
        connection.Execute(
            "UPDATE finding SET closed = @closed WHERE kind = @kind AND subject = @subject AND node = @node AND closed IS NULL",
            new { closed = now.Seconds(), kind = kind.Name(), subject, node = node ?? "" }) > 0;

    /// <summary>Brings the open findings about a subject into line with what holds now, among those of one source.</summary>
    /// <param name="node">Whose findings they are; null for those of all nodes.</param>
    /// <param name="undecided">Kinds of which nothing is known: what is open stays, with whatever is part of it.</param>
    internal static void Replace(
        DbConnection connection, string subject, FindingSource source, IReadOnlyCollection<Finding> now, DateTimeOffset at,
        IReadOnlySet<FindingKind>? undecided = null, string? node = null)
    {
        var kept = new List<FindingKind>();
        foreach (var name in connection.Query<string>(
            "SELECT kind FROM finding WHERE subject = @subject AND node = @node AND closed IS NULL", new { subject, node = node ?? "" }).ToList())
        {
            if (!FindingKinds.TryParse(name, out var kind) || !kind.IsOf(source) || now.Any(finding => finding.Kind == kind && finding.Subject == subject))
                continue;
            if (undecided?.Contains(kind) == true)
                kept.Add(kind);
            else
                Close(connection, kind, subject, at, node);
        }

        foreach (var finding in now.Where(finding => !kept.Exists(cause => finding.Kind.IsPartOf(cause))))
            Raise(connection, finding, at);
    }

    /// <summary>Brings all open findings of one source into line with what holds now; one that says the same is left as it is.</summary>
    internal static void ReplaceAll(DbConnection connection, FindingSource source, IReadOnlyCollection<Finding> now, DateTimeOffset at)
    {
        var open = Open(connection, at).Select(alert => alert.Finding).Where(finding => finding.Kind.IsOf(source)).ToList();
        foreach (var over in open.Where(finding => !now.Any(other => IsSame(finding, other))))
            Close(connection, over.Kind, over.Subject, at, over.Node);
        foreach (var finding in now.Where(finding => !open.Exists(other => IsSame(finding, other) && finding.Detail == other.Detail)))
            Raise(connection, finding, at);
    }

    private static bool IsSame(Finding one, Finding other) => (one.Kind, one.Subject, one.Node) == (other.Kind, other.Subject, other.Node);

    internal static void MarkNotified(DbConnection connection, long id, DateTimeOffset at, int escalation) =>
        connection.Execute(
            """
            UPDATE finding SET notified = coalesce(notified, @at), escalation = CASE WHEN escalation < @escalation THEN @escalation ELSE escalation END
            WHERE id = @id
            """,
            new { at = at.Seconds(), escalation = (long)escalation, id });

    internal static void MarkRecovered(DbConnection connection, long id, DateTimeOffset at) =>
        connection.Execute("UPDATE finding SET recovered = @at WHERE id = @id", new { at = at.Seconds(), id });

    internal static void MarkTogether(DbConnection connection, long id, long with) =>
        connection.Execute("UPDATE finding SET told_with = @with WHERE id = @id", new { with, id });

    internal static void MarkDelivered(DbConnection connection, AlertDelivery delivery) => connection.Execute(
        """
        INSERT INTO alert_delivery (finding_id, channel, event, escalation) SELECT id, @Channel, @Event, @escalation FROM finding WHERE id = @Id
        ON CONFLICT (finding_id, channel, event, escalation) DO NOTHING
        """,
        new { delivery.Id, delivery.Channel, delivery.Event, escalation = (long)delivery.Escalation });

    internal static void ForgetDeliveries(DbConnection connection, long id) =>
        connection.Execute("DELETE FROM alert_delivery WHERE finding_id = @id", new { id });

    internal static List<AlertDelivery> Deliveries(DbConnection connection) =>
        [.. connection.Query<DeliveryRow>("SELECT finding_id, channel, event, escalation FROM alert_delivery").ToList()
            .Select(row => new AlertDelivery(row.FindingId, row.Channel, row.Event, (int)row.Escalation))];

    private static PresentedKeyDocument ToDocument(PresentedKey key) =>
        new(key.MxHost, key.Target.Id, key.PublicKey.Hex, key.Certificate.Hex, key.Since.Seconds());

    internal sealed record DeliveryRow(long FindingId, string Channel, string Event, long Escalation);

    internal sealed record Row(
        long Id, string Kind, string Subject, string Detail, string Remedy, long Since, long LastSeen, long Occurrences, string? Outcome,
        string? Expected, string? Seen, long Affects, long? Closed, long? Notified, long Escalation, long? ToldWith, string Node, long? Observe,
        long? ValidUntil, string? Former, string? Verdict, long? LastProbe)
    {
        /// <returns>Null for a kind that a later version added: its row stays for that version.</returns>
        internal FindingAlert? Read(DateTimeOffset now)
        {
            if (!FindingKinds.TryParse(Kind, out var kind))
                return null;
            var end = new StoredEnd(ValidUntil, Former);
            var finding = new Finding(kind, Subject, Detail, Remedy, Since.Time())
            {
                Outcome = ProbeOutcomes.TryParse(Outcome, out var outcome) ? outcome : null,
                // As the verdict is now, and as the entry is enforced now.
                Severity = (end.Verdict(Verdict, LastProbe, now) ?? DestinationVerdict.Unknown).SeverityOf(kind, end.Observes(Observe == 1, now)),
                Affects = (int)Math.Clamp(Affects, 0, int.MaxValue),
                Node = Node.Length == 0 ? null : Node,
            };
            return new FindingAlert(Id, WithParticulars(finding), Occurrences, LastSeen.Time(), Closed?.Time(), Notified?.Time(), (int)Escalation) { ToldWith = ToldWith };
        }

        /// <summary>A finding whose particulars cannot be read is shown without them: what is wrong matters more.</summary>
        private Finding WithParticulars(Finding finding)
        {
            try
            {
                return finding with { Expected = ReadExpected(), Seen = ReadSeen() };
            }
            catch (Exception error) when (error is FormatException or JsonException)
            {
                return finding;
            }
        }

        private ImmutableArray<Fingerprint> ReadExpected() =>
            Expected is null ? [] : [.. (JsonSerializer.Deserialize(Expected, StoreJson.Default.StringArray) ?? []).Select(Print)];

        private ImmutableArray<PresentedKey> ReadSeen() => Seen is null
            ? []
            : [.. (JsonSerializer.Deserialize(Seen, StoreJson.Default.PresentedKeyDocumentArray) ?? []).Select(key => new PresentedKey(
                key.MxHost, ProbeTarget.Parse(key.Target), Print(key.PublicKey), Print(key.Certificate), key.Since.Time()))];

        private static Fingerprint Print(string hex) =>
            Fingerprint.TryParse(hex, out var fingerprint, out var reason) ? fingerprint : throw new FormatException(reason);
    }
}
