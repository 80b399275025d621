using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Reads destinations with their pins.</summary>
[DapperAot]
internal sealed class DestinationTable(SqliteConnection connection) : IDisposable
{
    private const string WithPins =
        """
        SELECT d.id AS Id, d.key AS Key, d.level AS Level, d.match_names AS MatchNames, d.ciphers AS Ciphers,
               d.protocols AS Protocols, d.exclude AS Exclude, d.servername AS Servername, d.tafile AS Tafile,
               d.connection_reuse AS ConnectionReuse, d.enable_rpk AS EnableRpk, d.tlsrpt AS Tlsrpt, d.mode AS Mode,
               d.observe AS Observe, d.probe_as AS ProbeAs, d.note AS Note,
               p.fingerprint AS PinFingerprint, p.subject AS PinSubject, p.state AS PinState, p.strength AS PinStrength, p.since AS PinSince
        FROM destination d
        LEFT JOIN pin p ON p.destination_id = d.id

        """;

    // Bulk work asks for every key, its parents and its other forms, and mostly there is nothing: the question is prepared once.
    private readonly Lazy<Statement> hasKey = new(() => new(connection, "SELECT 1 FROM destination WHERE key = $0", 1));
    private readonly Lazy<Statement> hasHost = new(() => new(connection, "SELECT 1 FROM destination WHERE host = $0 LIMIT 1", 1));

    // The prober asks for one destination thousands of times a second.
    private readonly Lazy<Statement> ofKey = new(() => new(
        connection,
        """
        SELECT d.id, d.key, d.level, d.match_names, d.ciphers, d.protocols, d.exclude, d.servername, d.tafile, d.connection_reuse, d.enable_rpk,
               d.tlsrpt, d.mode, d.observe, d.probe_as, d.note, p.fingerprint, p.subject, p.state, p.strength, p.since
        FROM destination d
        LEFT JOIN pin p ON p.destination_id = d.id
        WHERE d.key = $0
        ORDER BY p.position, p.id
        """,
        1));

    /// <summary>How many destinations were read; a test shows with it that one change does not read a million entries.</summary>
    internal long Reads { get; private set; }

    internal StoredDestination? Find(string key)
    {
        if (hasKey.Value.Scalar(key) is null)
            return null;
        var rows = ofKey.Value.Query(ReadRow, key);
        return rows.Count == 0 ? null : Read(rows);
    }

    /// <summary>All whose key is LIKE the pattern (escape character <c>\</c>), in key order, streaming.</summary>
    internal IEnumerable<StoredDestination> List(string likePattern)
    {
        return Grouped(connection.Query<DestinationRow>(
            WithPins +
            """
            WHERE d.key LIKE @likePattern ESCAPE '\'
            ORDER BY d.key, p.position, p.id
            """,
            new { likePattern }, buffered: false));
    }

    internal IEnumerable<StoredDestination> OfHost(string host)
    {
        if (hasHost.Value.Scalar(host) is null)
            return [];
        return Grouped(connection.Query<DestinationRow>(
            WithPins +
            """
            WHERE d.host = @host
            ORDER BY d.key, p.position, p.id
            """,
            new { host }).ToList());
    }

    internal long Count() => connection.ExecuteScalar<long>("SELECT count(*) FROM destination");

    internal long CountObserved() => connection.ExecuteScalar<long>("SELECT count(*) FROM destination WHERE observe = 1");

    internal List<NameCountRow> CountByLevel() =>
        connection.Query<NameCountRow>("SELECT level AS Name, count(*) AS Count FROM destination GROUP BY level").ToList();

    internal List<NameCountRow> CountPinsByState() =>
        connection.Query<NameCountRow>("SELECT state AS Name, count(*) AS Count FROM pin GROUP BY state").ToList();

    /// <summary>The host by which the forms of a key find each other; a leading dot stays, since it makes another question.</summary>
    internal static string HostOf(NextHop key) =>
        System.Text.Encoding.ASCII.GetString(LookupKey.BareHost(System.Text.Encoding.ASCII.GetBytes(key.Text)));

    /// <summary>From a pattern with <c>*</c> and <c>?</c> (keys contain brackets, so SQLite's GLOB would misread them).</summary>
    internal static string LikePattern(string? pattern)
    {
        if (pattern is null)
            return "%";
        return pattern.ToLowerInvariant()
            .Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal).Replace('*', '%').Replace('?', '_');
    }

    public void Dispose()
    {
        if (hasKey.IsValueCreated)
            hasKey.Value.Dispose();
        if (hasHost.IsValueCreated)
            hasHost.Value.Dispose();
        if (ofKey.IsValueCreated)
            ofKey.Value.Dispose();
    }

    private static DestinationRow ReadRow(SqliteDataReader row)
    {
        return new DestinationRow
        {
            Id = row.GetInt64(0),
            Key = row.GetString(1),
            Level = row.GetString(2),
            MatchNames = Text(3),
            Ciphers = Text(4),
            Protocols = Text(5),
            Exclude = Text(6),
            Servername = Text(7),
            Tafile = Text(8),
            ConnectionReuse = Number(9),
            EnableRpk = Number(10),
            Tlsrpt = Text(11),
            Mode = row.GetString(12),
            Observe = row.GetInt64(13),
            ProbeAs = Text(14),
            Note = Text(15),
            PinFingerprint = Text(16),
            PinSubject = Text(17),
            PinState = Text(18),
            PinStrength = Text(19),
            PinSince = Number(20),
        };

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);

        long? Number(int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
    }

    private IEnumerable<StoredDestination> Grouped(IEnumerable<DestinationRow> rows)
    {
        var same = new List<DestinationRow>();
        foreach (var row in rows)
        {
            if (same.Count > 0 && same[0].Id != row.Id)
            {
                yield return Read(same);
                same.Clear();
            }

            same.Add(row);
        }

        if (same.Count > 0)
            yield return Read(same);
    }

    private StoredDestination Read(List<DestinationRow> rows)
    {
        Reads++;
        var row = rows[0];
        try
        {
            var destination = DestinationMapping.FromRow(row, rows.Where(pin => pin.PinFingerprint is not null)
                .Select(pin => DestinationMapping.ToPin(pin.PinFingerprint!, pin.PinSubject, pin.PinState, pin.PinStrength, pin.PinSince ?? 0)));
            return destination.Key.Text == row.Key
                ? new StoredDestination(row.Id, row.Key, destination, null)
                : new StoredDestination(row.Id, row.Key, null, $"its key is stored as {row.Key} instead of {destination.Key.Text}");
        }
        catch (Exception error) when (error is FormatException or JsonException or ArgumentException)
        {
            return new StoredDestination(row.Id, row.Key, null, error.Message);
        }
    }
}
