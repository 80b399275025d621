using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Browsing;

/// <summary>Which destinations a page of a list shows.</summary>
/// <param name="Text">Part of the key; empty for any.</param>
/// <param name="Level">The level; null for any.</param>
/// <param name="WithFindings">Only those about which a finding is open.</param>
public sealed record BrowseFilter(string Text = "", TlsLevel? Level = null, bool WithFindings = false);

/// <summary>A page of a list of destinations.</summary>
/// <param name="Rows">The destinations, in the order of their keys.</param>
/// <param name="Next">The key behind which the next page begins; null where nothing follows.</param>
/// <param name="Complete">False where so many keys were looked through without a page's worth of matches that the search stopped at <paramref name="Next"/>.</param>
public sealed record BrowsedPage(IReadOnlyList<BrowsedDestination> Rows, string? Next, bool Complete);

/// <summary>A destination in a list, with what its last probes met.</summary>
/// <param name="Key">The key as stored.</param>
/// <param name="Level">The level that is in force, by its stored name.</param>
/// <param name="Mode">The mode as stored.</param>
/// <param name="Observe">The entry is only observed.</param>
/// <param name="Verdict">The verdict of the last probe; null before the first.</param>
/// <param name="LastProbe">When that was; null before the first.</param>
/// <param name="Outcomes">The outcomes of the last observations of its addresses, oldest first.</param>
public sealed record BrowsedDestination(
    string Key, string Level, string Mode, bool Observe, DestinationVerdict? Verdict, DateTimeOffset? LastProbe,
    IReadOnlyList<(DateTimeOffset At, ProbeOutcome Outcome)> Outcomes);

/// <summary>Reads pages of destinations. What a page costs has a bound, however many destinations there are and however few match.</summary>
internal static class BrowseTable
{
    /// <summary>Keys that are looked through for one page.</summary>
    internal const int MostLookedThrough = 20_000;

    private const int Outcomes = 24;

    internal static BrowsedPage Page(DbConnection connection, BrowseFilter filter, string after, int most, DateTimeOffset now)
    {
        var found = new List<BrowsedDestination>(most);
        var (looked, last) = (0, after);
        var limit = filter.Text.Length > 0 || filter.Level is not null || filter.WithFindings ? MostLookedThrough : most + 1;
        foreach (var row in Candidates(connection, filter.WithFindings, after, limit))
        {
            if (found.Count == most)
                return new BrowsedPage(found, last, Complete: true);
            looked++;
            last = row.Key;
            var level = new StoredEnd(row.ValidUntil, row.Former).Level(row.Level, now) ?? row.Level;
            if ((filter.Text.Length == 0 || row.Key.Contains(filter.Text, StringComparison.Ordinal)) && (filter.Level is not { } wanted || level == wanted.Name()))
                found.Add(Read(connection, row, level, now));
        }

        return looked == limit ? new BrowsedPage(found, last, found.Count == most) : new BrowsedPage(found, null, Complete: true);
    }

    // Read before a row is looked into: a connection runs one statement at a time for other engines.
    private static List<KeyRow> Candidates(DbConnection connection, bool withFindings, string after, long limit) =>
        withFindings
            ? connection.Query<KeyRow>(
                """
                SELECT d.id, d.key, d.level, d.mode, d.observe, d.valid_until, d.former FROM destination d
                JOIN (SELECT DISTINCT subject FROM finding WHERE closed IS NULL AND subject > @after ORDER BY subject LIMIT @limit) f ON f.subject = d.key
                ORDER BY d.key
                """,
                new { after, limit }).ToList()
            : connection.Query<KeyRow>(
                "SELECT d.id, d.key, d.level, d.mode, d.observe, d.valid_until, d.former FROM destination d WHERE d.key > @after ORDER BY d.key LIMIT @limit", new { after, limit }).ToList();

    private static BrowsedDestination Read(DbConnection connection, KeyRow row, string level, DateTimeOffset now)
    {
        var end = new StoredEnd(row.ValidUntil, row.Former);
        var state = connection.QueryFirstOrDefault<StateRow>(
            "SELECT verdict, last_probe FROM probe_state WHERE destination_id = @id", new { id = row.Id });
        var outcomes = state is null
            ? []
            : connection.Query<OutcomeRow>(
                """
                SELECT o.at, o.outcome FROM mx_target l JOIN observation o ON o.probe_target_id = l.probe_target_id
                WHERE l.destination_id = @id ORDER BY o.at DESC, o.id DESC LIMIT @most
                """,
                new { id = row.Id, most = (long)Outcomes }).ToList();
        return new BrowsedDestination(
            row.Key, level, row.Mode, end.Observes(row.Observe != 0, now),
            end.Verdict(state?.Verdict, state?.LastProbe, now),
            state?.LastProbe.Time(),
            [
                .. outcomes.AsEnumerable().Reverse().Where(one => ProbeOutcomes.TryParse(one.Outcome, out _))
                    .Select(one => (one.At.Time(), ProbeOutcomes.TryParse(one.Outcome, out var outcome) ? outcome : default)),
            ]);
    }

    internal sealed record KeyRow(long Id, string Key, string Level, string Mode, long Observe, long? ValidUntil, string? Former);

    internal sealed record StateRow(string Verdict, long LastProbe);

    internal sealed record OutcomeRow(long At, string Outcome);
}
