using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;

namespace PolicyDaemon.Store.Probing;

/// <summary>What other destinations make of a key that one destination's servers show.</summary>
internal static class PinsElsewhere
{
    /// <summary>Whatever others pin or refuse, wherever their mail goes; of several, one behind the same MX hosts.</summary>
    internal static PinElsewhere? Find(DbConnection connection, NextHop key, Fingerprint fingerprint)
    {
        var found = connection.Query<DecidedRow>(
            $"""
            SELECT d.key, p.state, CASE WHEN EXISTS (
                SELECT 1 FROM mx_target l JOIN mx_target m ON m.mx_host = l.mx_host AND m.last_listed IS NULL
                JOIN destination o ON o.id = m.destination_id
                WHERE l.destination_id = d.id AND l.last_listed IS NULL AND o.key = @key) THEN 1 ELSE 0 END AS shares
            FROM (
                SELECT destination_id, state FROM pin p
                WHERE fingerprint = @fingerprint AND ({PinStates.Decided})
                  AND destination_id <> coalesce((SELECT id FROM destination WHERE key = @key), 0)
                ORDER BY destination_id LIMIT 50) p
            JOIN destination d ON d.id = p.destination_id
            ORDER BY 3 DESC, d.id LIMIT 1
            """,
            new { key = key.Text, fingerprint = fingerprint.Hex }).ToList();
        return found is [var row] && NextHop.TryParse(row.Key, out var other, out _) && PinNames.TryParse(row.State, out PinState state)
            ? new PinElsewhere(fingerprint, other, state, row.Shares != 0)
            : null;
    }

    /// <summary>The other destinations to which an MX host of this one shows a certificate now, and that have its pin as a candidate.</summary>
    /// <param name="connection">The session's connection.</param>
    /// <param name="key">The destination.</param>
    /// <param name="candidate">The pin.</param>
    /// <param name="certificate">The certificate, by the SHA-256 of the whole.</param>
    internal static List<NextHop> Showing(DbConnection connection, NextHop key, Fingerprint candidate, Fingerprint certificate)
    {
        var (whole, waiting) = (PinSubject.Certificate.Name(), PinState.Candidate.Name());
        var keys = connection.Query<string>(
            """
            SELECT DISTINCT d.key
            FROM key_material k
            JOIN certificate_run r ON r.key_material_id = k.id
            JOIN mx_target l ON l.probe_target_id = r.probe_target_id AND l.last_listed IS NULL
            JOIN pin p ON p.destination_id = l.destination_id AND p.fingerprint = @candidate AND p.state = @waiting
            JOIN destination d ON d.id = l.destination_id
            WHERE k.subject = @whole AND k.sha256 = @certificate AND d.key <> @key
              AND r.id = (SELECT max(n.id) FROM certificate_run n WHERE n.probe_target_id = r.probe_target_id AND n.algorithm = r.algorithm)
              AND l.mx_host IN (
                SELECT m.mx_host FROM mx_target m JOIN destination o ON o.id = m.destination_id WHERE o.key = @key AND m.last_listed IS NULL)
            ORDER BY d.key
            """,
            new { key = key.Text, candidate = candidate.Hex, certificate = certificate.Hex, whole, waiting }).ToList();
        return [.. keys.Where(other => NextHop.TryParse(other, out _, out _)).Select(NextHop.Parse)];
    }

    internal sealed record DecidedRow(string Key, string State, long Shares);
}
