using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Browsing;

/// <summary>A pin whose state changes next: a candidate, one that is announced, or one that is being replaced.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Fingerprint">The pin's fingerprint, in hexadecimal.</param>
/// <param name="State">Candidate, standby or retiring.</param>
/// <param name="Since">When it entered that state.</param>
/// <param name="Mode">The destination's mode.</param>
public sealed record MovingPin(string Key, string Fingerprint, PinState State, DateTimeOffset Since, PinMode Mode)
{
    /// <summary>The newest of them, the newest first.</summary>
    internal static List<MovingPin> Read(DbConnection connection, int most) =>
    [
        .. connection.Query<Row>(
            """
            SELECT d.key, p.fingerprint, p.state, p.since, d.mode FROM pin p JOIN destination d ON d.id = p.destination_id
            WHERE p.state IN ('candidate', 'standby', 'retiring') ORDER BY p.since DESC, p.id LIMIT @most
            """,
            new { most = (long)most }).ToList()
            .Select(row => PinNames.TryParse(row.State, out PinState state) && PinNames.TryParse(row.Mode, out PinMode mode)
                ? new MovingPin(row.Key, row.Fingerprint, state, row.Since.Time(), mode)
                : null)
            .OfType<MovingPin>(),
    ];

    internal sealed record Row(string Key, string Fingerprint, string State, long Since, string Mode);
}
