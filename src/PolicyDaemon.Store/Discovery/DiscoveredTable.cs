using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Discovery;

/// <summary>What discovery remembers, and how verdicts changed: the tables discovered, verdict_change and discovery_notice.</summary>
/// <remarks>What cannot be read counts as not remembered: discovery finds it out again, and lookups have what they have in memory.</remarks>
internal static class DiscoveredTable
{
    /// <summary>Changes kept of one destination.</summary>
    internal const int ChangesPerKey = 20;

    /// <summary>Changes kept of all destinations together; the oldest leave first.</summary>
    internal const int Changes = 100_000;

    // As long as a policy is renewed without mail that asks for it.
    private static readonly TimeSpan Unused = TimeSpan.FromDays(180);

    // Deleting beyond the bound costs a search, so it is done for many at once.
    private const int ChangesBetweenSweeps = 1000;

    internal static Discovered? Find(DbConnection connection, string key) =>
        connection.QueryFirstOrDefault<string>("SELECT memory FROM discovered WHERE key = @key", new { key }) is { } json
        && DiscoveryJson.TryReadMemory(json, out var memory, out _)
            ? memory
            : null;

    /// <summary>All, or those under which more than "nothing" may be answered, in the order of their keys.</summary>
    internal static IEnumerable<Discovered> List(DbConnection connection, bool onlyProtected)
    {
        var rows = onlyProtected
            ? connection.Query<string>("SELECT memory FROM discovered WHERE protected = 1 ORDER BY key", buffered: false)
            : connection.Query<string>("SELECT memory FROM discovered ORDER BY key", buffered: false);
        foreach (var json in rows)
        {
            if (DiscoveryJson.TryReadMemory(json, out var memory, out _))
                yield return memory;
        }
    }

    /// <summary>A page of those under which more than "nothing" may be answered, in the order of their keys.</summary>
    /// <param name="after">The last key of the page before; empty for the first page.</param>
    /// <param name="most">At most so many.</param>
    /// <returns>The page, and its last key; null where no page follows.</returns>
    internal static (List<Discovered> Page, string? Last) Protected(DbConnection connection, string after, int most)
    {
        var rows = connection.Query<MemoryRow>(
            "SELECT key, memory FROM discovered WHERE protected = 1 AND key > @after ORDER BY key LIMIT @most", new { after, most = (long)most }).ToList();
        var page = new List<Discovered>(rows.Count);
        foreach (var row in rows)
        {
            if (DiscoveryJson.TryReadMemory(row.Memory, out var memory, out _))
                page.Add(memory);
        }

        return (page, rows.Count == most ? rows[^1].Key : null);
    }

    internal static List<NextHop> Renewals(DbConnection connection, DateTimeOffset now, int most) =>
    [
        .. connection.Query<string>(
            """
            SELECT key FROM discovered
            WHERE (renewal_due <= @now OR renewal_due > @ahead) AND renewal_until > @now
            ORDER BY renewal_due LIMIT @most
            """,
            new { now = now.Seconds(), ahead = (now + StsRules.LongestRenewal).Seconds(), most = (long)most })
            .Where(key => NextHop.TryParse(key, out _, out _)).Select(NextHop.Parse),
    ];

    /// <summary>Policies in force that end before a time unless they are renewed.</summary>
    internal static long NearLapse(DbConnection connection, DateTimeOffset now, DateTimeOffset end) => connection.ExecuteScalar<long>(
        "SELECT count(*) FROM discovered WHERE renewal_due IS NOT NULL AND renewal_until > @now AND renewal_until <= @end", new { now = now.Seconds(), end = end.Seconds() });

    internal static void Write(DbConnection connection, DiscoveredEntry entry, DateTimeOffset now)
    {
        var memory = entry.Memory;
        var until = StsRules.RenewalUntil(memory.Sts, memory.Used, now);
        connection.Execute(
            """
            INSERT INTO discovered (key, used, protected, renewal_due, renewal_until, memory, policy_until, tlsa)
            VALUES (@key, @used, @isProtected, @due, @until, @memory, @policyUntil, @tlsa)
            ON CONFLICT (key) DO UPDATE SET used = excluded.used, protected = excluded.protected, renewal_due = excluded.renewal_due,
                renewal_until = excluded.renewal_until, memory = excluded.memory, policy_until = excluded.policy_until, tlsa = excluded.tlsa
            """,
            new
            {
                key = memory.Key.Text,
                used = memory.Used.Seconds(),
                isProtected = memory.IsProtected ? 1L : 0L,
                due = until is null ? (long?)null : memory.Sts.FetchDue.Seconds(),
                until = until?.Seconds(),
                memory = DiscoveryJson.WriteMemory(memory),
                policyUntil = memory.Sts.InForce(now)?.Expires.Seconds(),
                tlsa = memory.HasTlsa ? 1L : 0L,
            });
        if (entry.Change is { } change)
            Write(connection, memory.Key.Text, change);
    }

    /// <summary>The entries that leave their answer to discovery, or those of them that take no less than a floor.</summary>
    internal static List<string> Asking(DbConnection connection, int limit, bool onlyWithFloor) => onlyWithFloor
        ? connection.Query<string>(
            "SELECT key FROM destination WHERE level = 'discovered' AND observe = 0 AND floor IS NOT NULL AND floor <> 'none' ORDER BY id LIMIT @limit", new { limit = (long)limit }).ToList()
        : connection.Query<string>("SELECT key FROM destination WHERE level = 'discovered' AND observe = 0 ORDER BY id LIMIT @limit", new { limit = (long)limit }).ToList();

    internal static List<string> Entries(DbConnection connection, string after, int limit) =>
        connection.Query<string>("SELECT key FROM destination WHERE key > @after ORDER BY key LIMIT @limit", new { after, limit = (long)limit }).ToList();

    /// <summary>Removes what is remembered of a destination. How its verdict changed stays on record.</summary>
    /// <returns>False where nothing was.</returns>
    internal static bool Remove(DbConnection connection, string key) =>
        connection.Execute("DELETE FROM discovered WHERE key = @key", new { key }) > 0;

    /// <summary>Forgets what nobody asks for any more and, of those that protect something and of the others, what was not used for the longest
    /// time beyond so many. A policy in force is never forgotten.</summary>
    internal static void Trim(DbConnection connection, long most, DateTimeOffset now)
    {
        var present = now.Seconds();
        connection.Execute(
            "DELETE FROM discovered WHERE protected = 1 AND tlsa = 0 AND used < @unused AND (policy_until IS NULL OR policy_until <= @present)",
            new { unused = (now - Unused).Seconds(), present });
        var others = connection.ExecuteScalar<long>("SELECT count(*) FROM discovered WHERE protected = 0") - most;
        if (others > 0)
        {
            connection.Execute(
                "DELETE FROM discovered WHERE key IN (SELECT key FROM discovered WHERE protected = 0 ORDER BY used LIMIT @others)", new { others });
        }

        var excess = connection.ExecuteScalar<long>("SELECT count(*) FROM discovered WHERE protected = 1") - most;
        if (excess > 0)
        {
            connection.Execute(
                """
                DELETE FROM discovered WHERE key IN (
                    SELECT key FROM discovered WHERE protected = 1 AND (policy_until IS NULL OR policy_until <= @present) ORDER BY used LIMIT @excess)
                """,
                new { excess, present });
        }
    }

    /// <summary>How a destination's verdict changed, the newest first.</summary>
    internal static List<StoredVerdictChange> History(DbConnection connection, string key, int most) =>
    [
        .. connection.Query<StoredVerdictChange>(
            """
            SELECT at, from_answer, from_row, to_answer, to_row, evidence FROM verdict_change WHERE key = @key ORDER BY id DESC LIMIT @most
            """,
            new { key, most = (long)most }),
    ];

    /// <summary>Tells the daemon that another program changed what is remembered of a destination.</summary>
    internal static void Notice(DbConnection connection, string key) =>
        connection.Execute("INSERT INTO discovery_notice (key) VALUES (@key)", new { key });

    internal static List<DiscoveryNotice> Notices(DbConnection connection, long after, int most) =>
        [.. connection.Query<DiscoveryNotice>("SELECT id, key FROM discovery_notice WHERE id > @after ORDER BY id LIMIT @most", new { after, most = (long)most })];

    internal static void RemoveNotices(DbConnection connection, long last) =>
        connection.Execute("DELETE FROM discovery_notice WHERE id <= @last", new { last });

    private static void Write(DbConnection connection, string key, DiscoveryChange change)
    {
        // Of a million domains that publish nothing each would be kept with a first verdict that says so.
        if (change is { From: null, To: DiscoveredAnswer.NotFound })
            return;
        connection.Execute(
            """
            INSERT INTO verdict_change (key, at, from_answer, from_row, to_answer, to_row, evidence)
            VALUES (@key, @at, @fromAnswer, @fromRow, @toAnswer, @toRow, @evidence)
            """,
            new
            {
                key,
                at = change.At.Seconds(),
                fromAnswer = change.From?.Name(),
                fromRow = change.FromRow?.Name(),
                toAnswer = change.To.Name(),
                toRow = change.ToRow.Name(),
                evidence = DiscoveryJson.WriteCompact(change.Evidence),
            });
        connection.Execute(
            "DELETE FROM verdict_change WHERE key = @key AND id NOT IN (SELECT id FROM verdict_change WHERE key = @key ORDER BY id DESC LIMIT @most)",
            new { key, most = (long)ChangesPerKey });
        var last = connection.ExecuteScalar<long>("SELECT max(id) FROM verdict_change");
        if (last > Changes && last % ChangesBetweenSweeps == 0)
            connection.Execute("DELETE FROM verdict_change WHERE id <= @oldest", new { oldest = last - Changes });
    }

    internal sealed record MemoryRow(string Key, string Memory);
}

/// <summary>A notice of another program that it changed what is remembered of a destination.</summary>
/// <param name="Id">Its number; later ones have higher numbers.</param>
/// <param name="Key">The destination's key.</param>
public sealed record DiscoveryNotice(long Id, string Key);

/// <summary>A change of a verdict as the store keeps it.</summary>
/// <param name="At">When it was found, Unix seconds.</param>
/// <param name="FromAnswer">The answer before; null for the first verdict.</param>
/// <param name="FromRow">The row that had decided.</param>
/// <param name="ToAnswer">The answer from then on.</param>
/// <param name="ToRow">The row that decided.</param>
/// <param name="Evidence">What it rested on, as JSON (<see cref="DiscoveryJson"/>).</param>
public sealed record StoredVerdictChange(long At, string? FromAnswer, string? FromRow, string ToAnswer, string ToRow, string Evidence);
