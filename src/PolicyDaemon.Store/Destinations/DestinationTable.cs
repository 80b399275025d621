using System.Data.Common;
using System.Text;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Destinations;

/// <summary>Reads destinations with their pins.</summary>
internal sealed class DestinationTable(DbConnection connection)
{
    private const string WithPins =
        """
        SELECT d.id, d.key, d.level, d.attributes, d.mode, d.observe, d.floor, d.valid_until, d.former, d.probe_as, d.note,
               p.fingerprint, p.subject, p.state, p.strength, p.since, p.position, p.id AS pin_id
        FROM destination d LEFT JOIN pin p ON p.destination_id = d.id

        """;

    /// <summary>How many pins were read, with the destinations that have them.</summary>
    internal long PinsRead { get; private set; }

    /// <returns>The id of the row; null where the key is not configured. A cheap question, for bulk work that asks for parents and other forms of each key.</returns>
    internal long? FindId(string key) => connection.ExecuteScalar<long?>("SELECT id FROM destination WHERE key = @key", new { key });

    /// <summary>The newest row; 0 where there is none.</summary>
    internal long LastId() => connection.ExecuteScalar<long>("SELECT coalesce(max(id), 0) FROM destination");

    internal StoredDestination? Find(string key)
    {
        if (FindId(key) is not { } id)
            return null;
        var rows = connection.Query<Row>(WithPins + "WHERE d.id = @id", new { id }).ToList();
        return rows.Count == 0 ? null : Read(rows);
    }

    /// <summary>Reads the destinations whose key is LIKE the pattern (escape character <c>\</c>), in key order, streaming.</summary>
    internal IEnumerable<StoredDestination> List(string likePattern) => Grouped(connection.Query<Row>(
        WithPins +
        """
        WHERE d.key LIKE @likePattern ESCAPE '\'
        ORDER BY d.key
        """,
        new { likePattern }, buffered: false));

    /// <summary>All in the order of their rows, streaming: each row is met as it lies in the table, whatever became of the index over its keys.</summary>
    internal IEnumerable<StoredDestination> All() =>
        Grouped(connection.Query<Row>(WithPins + "ORDER BY d.id", buffered: false));

    /// <summary>How many pins there are, counted in their table; of those that an index lacks <see cref="All"/> knows nothing.</summary>
    internal long CountPins() => connection.ExecuteScalar<long>("SELECT count(state) FROM pin");

    /// <summary>Reads the destinations with a bare host, in key order.</summary>
    internal IEnumerable<StoredDestination> OfHost(string host) =>
        connection.ExecuteScalar<long?>("SELECT id FROM destination WHERE host = @host LIMIT 1", new { host }) is null
            ? []
            : Grouped(connection.Query<Row>(WithPins + "WHERE d.host = @host ORDER BY d.key", new { host }).ToList());

    /// <summary>Reads the destinations whose bare hosts lie between two, these included.</summary>
    /// <param name="most">At most so many rows, of which one with several pins has several.</param>
    /// <returns>Null where there are more.</returns>
    internal List<StoredDestination>? OfHosts(string first, string last, int most)
    {
        var rows = connection.Query<Row>(WithPins + "WHERE d.host BETWEEN @first AND @last ORDER BY d.host, d.key LIMIT @limit", new { first, last, limit = most + 1L }).ToList();
        return rows.Count > most ? null : [.. Grouped(rows)];
    }

    /// <summary>The destinations that will end by themselves, the next one first.</summary>
    internal List<StoredDestination> Temporary(DateTimeOffset now, int limit) => connection.Query<string>(
        "SELECT key FROM destination WHERE valid_until > @now ORDER BY valid_until LIMIT @limit", new { now = now.Seconds(), limit = (long)limit }).ToList()
        .Select(Find).OfType<StoredDestination>().ToList();

    /// <summary>How many destinations there are of each kind at a time: those that have ended and still stand there as they were are counted as they are.</summary>
    /// <remarks>Several statements, between which others write: a level may go or come in the middle.</remarks>
    internal (long All, long Observed, long Temporary, Dictionary<TlsLevel, long> ByLevel) CountAt(DateTimeOffset now)
    {
        var byLevel = new Dictionary<TlsLevel, long>();
        foreach (var row in connection.Query<NamedCount>("SELECT level AS name, count(*) AS count FROM destination GROUP BY level").ToList())
        {
            if (TlsLevels.TryParse(row.Name, out var level))
                byLevel[level] = row.Count;
        }

        var (all, observed) = (Count(), connection.ExecuteScalar<long>("SELECT count(*) FROM destination WHERE observe = 1"));
        var temporary = connection.ExecuteScalar<long>("SELECT count(*) FROM destination WHERE valid_until > @now", new { now = now.Seconds() });
        foreach (var row in connection.Query<EndedRow>(
            "SELECT level, observe, valid_until, former FROM destination WHERE valid_until <= @now", new { now = now.Seconds() }).ToList())
        {
            var end = new StoredEnd(row.ValidUntil, row.Former);
            if (TlsLevels.TryParse(row.Level, out var before))
                byLevel[before] = byLevel.GetValueOrDefault(before) - 1;
            if (TlsLevels.TryParse(end.Level(row.Level, now), out var after))
                byLevel[after] = byLevel.GetValueOrDefault(after) + 1;
            else
                all--;
            observed += (end.Observes(row.Observe != 0, now) ? 1 : 0) - row.Observe;
        }

        return (all, observed, temporary, byLevel.Where(level => level.Value > 0).ToDictionary());
    }

    internal long Count() => connection.ExecuteScalar<long>("SELECT count(*) FROM destination");

    internal List<NamedCount> CountPinsByState() =>
        connection.Query<NamedCount>("SELECT state AS name, count(*) AS count FROM pin GROUP BY state").ToList();

    /// <summary>The host by which the forms of a key find each other; a leading dot stays, since it makes another question.</summary>
    internal static string HostOf(NextHop key) => HostOf(key.Text);

    internal static string HostOf(string key) => Encoding.ASCII.GetString(LookupKey.BareHost(Encoding.ASCII.GetBytes(key)));

    /// <summary>Makes a LIKE pattern of one with <c>*</c> and <c>?</c>; SQLite's GLOB would misread the brackets of keys.</summary>
    internal static string LikePattern(string? pattern)
    {
        if (pattern is null)
            return "%";
        return pattern.ToLowerInvariant()
            .Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal)
            .Replace("_", @"\_", StringComparison.Ordinal).Replace('*', '%').Replace('?', '_');
    }

    private IEnumerable<StoredDestination> Grouped(IEnumerable<Row> rows)
    {
        var same = new List<Row>();
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

    private StoredDestination Read(List<Row> rows)
    {
        var row = rows[0];
        if (row.Fingerprint is not null)
            PinsRead += rows.Count;
        // Here and not in the query, which would open a sorter for each of a million rows.
        if (rows.Count > 1)
            rows.Sort((one, other) => (one.Position, one.PinId).CompareTo((other.Position, other.PinId)));
        try
        {
            var destination = new Destination
            {
                Key = NextHop.Parse(row.Key),
                Policy = PolicyDocument.FromJson(DestinationDocument.Level(row.Level), row.Attributes),
                Pins = row.Fingerprint is null
                    ? []
                    : [.. rows.Select(pin => DestinationDocument.ToPin(pin.Fingerprint!, pin.Subject, pin.State, pin.Strength, pin.Since ?? 0))],
                Mode = DestinationDocument.Mode(row.Mode),
                Observe = row.Observe != 0,
                Floor = DestinationDocument.Floor(row.Floor),
                Until = row.ValidUntil?.Time(),
                Former = DestinationDocument.FormerFromJson(row.Former),
                ProbeAs = row.ProbeAs is null ? [] : [.. JsonSerializer.Deserialize(row.ProbeAs, StoreJson.Default.StringArray) ?? []],
                Note = row.Note,
            };
            return destination.Key.Text == row.Key
                ? new StoredDestination(row.Id, row.Key, destination, null)
                : new StoredDestination(row.Id, row.Key, null, $"its key is stored as {row.Key} instead of {destination.Key.Text}");
        }
        catch (Exception error) when (error is FormatException or JsonException or ArgumentException or InvalidOperationException)
        {
            return new StoredDestination(row.Id, row.Key, null, error.Message);
        }
    }

    internal sealed record EndedRow(string Level, long Observe, long? ValidUntil, string? Former);

    /// <summary>A destination with one of its pins, or with none.</summary>
    internal sealed record Row(
        long Id, string Key, string Level, string? Attributes, string Mode, long Observe, string? Floor, long? ValidUntil, string? Former, string? ProbeAs,
        string? Note, string? Fingerprint,
        string? Subject, string? State, string? Strength, long? Since, long? Position, long? PinId);
}

/// <summary>A destination as it is stored; its row may hold something that this version cannot read.</summary>
/// <param name="Id">The row.</param>
/// <param name="Key">The key as stored.</param>
/// <param name="Value">The destination; null where it cannot be read.</param>
/// <param name="Problem">Why the destination cannot be read; null where it can.</param>
internal readonly record struct StoredDestination(long Id, string Key, Destination? Value, string? Problem)
{
    /// <summary>What Postfix is told of a key whose entry cannot be read.</summary>
    internal static readonly LookupAnswer Unreadable = LookupAnswer.Temporary("the entry of this destination cannot be read");

    /// <exception cref="StoreException">The destination cannot be read.</exception>
    internal Destination Get(string path) =>
        Value ?? throw new StoreException(StoreFault.Damaged, $"{path}: the entry {Key} cannot be read: {Problem}; remove it and add it again, or restore a backup");
}

/// <summary>States of pins as SQL, in the words of the indexes that the queries rest on.</summary>
internal static class PinStates
{
    /// <summary>That a pin <c>p</c> is served, as the index pin_served has it.</summary>
    internal static readonly string Served = Condition(PinNames.ServedStates);

    /// <summary>That a destination has decided about a key, as the index pin_decided has it: its pin <c>p</c> is served, or a person there refused it.</summary>
    internal static readonly string Decided = Condition([.. PinNames.ServedStates, PinState.Rejected, PinState.Revoked]);

    private static string Condition(IEnumerable<PinState> states) => string.Join(" OR ", states.Select(state => $"p.state = '{state.Name()}'"));
}

/// <summary>Levels of destinations as SQL, in the words of the indexes that the queries rest on.</summary>
internal static class ProbedLevels
{
    /// <summary>That a destination <c>d</c> has a level at which it is probed; the index destination_probed asks for the same.</summary>
    internal static readonly string Condition =
        string.Join(" AND ", Enum.GetValues<TlsLevel>().Where(level => !level.IsProbed()).Select(level => $"d.level <> '{level.Name()}'"));
}

/// <summary>A name and how often it occurs.</summary>
internal sealed record NamedCount(string Name, long Count);
