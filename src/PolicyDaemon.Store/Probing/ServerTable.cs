using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Finds the destinations behind a mail server: the tables mx_target and probe_target the other way round.</summary>
internal static class ServerTable
{
    private const string Columns =
        """
        SELECT d.key, l.mx_host, t.name AS target, l.last_listed, d.valid_until, d.former, s.verdict, s.last_probe
        FROM mx_target l JOIN destination d ON d.id = l.destination_id JOIN probe_target t ON t.id = l.probe_target_id
            JOIN probe_state s ON s.destination_id = d.id
        """;

    /// <summary>Reads the destinations whose mail an MX host with this name takes, or took.</summary>
    internal static List<ServedDestination> OfHost(DbConnection connection, string host, int most, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + " WHERE l.mx_host = @host ORDER BY d.key, t.name LIMIT @most", new { host, most = (long)most }).Select(row => Of(row, now))];

    /// <summary>Reads the destinations whose mail a server at this address takes, or took.</summary>
    /// <param name="first">The first name that a target at the address can have.</param>
    /// <param name="end">The first behind all of them.</param>
    internal static List<ServedDestination> OfAddress(DbConnection connection, string first, string end, int most, DateTimeOffset now) =>
        [.. connection.Query<Row>(Columns + " WHERE t.name >= @first AND t.name < @end ORDER BY d.key, t.name LIMIT @most", new { first, end, most = (long)most }).Select(row => Of(row, now))];

    private static ServedDestination Of(Row row, DateTimeOffset now) => new(
        NextHop.Parse(row.Key), row.MxHost, ProbeTarget.Parse(row.Target), row.LastListed is null,
        new StoredEnd(row.ValidUntil, row.Former).Verdict(row.Verdict, row.LastProbe, now));

    internal sealed record Row(string Key, string MxHost, string Target, long? LastListed, long? ValidUntil, string? Former, string? Verdict, long? LastProbe);
}

/// <summary>A destination behind a mail server.</summary>
/// <param name="Key">The key of its entry.</param>
/// <param name="MxHost">The name of the server in its MX records.</param>
/// <param name="Target">The server's address and port.</param>
/// <param name="IsListed">True where the last lookup that worked still leads there.</param>
/// <param name="Verdict">What the last probe says of its mail; null before the first.</param>
public sealed record ServedDestination(NextHop Key, string MxHost, ProbeTarget Target, bool IsListed, DestinationVerdict? Verdict);
