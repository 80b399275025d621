using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Reports;

/// <summary>What a report is about.</summary>
/// <param name="Key">One entry; null for all.</param>
/// <param name="Since">Changes since then; null for all.</param>
/// <param name="AsOf">The moment that it tells of; what happened later is not in it. UTC, whole seconds.</param>
/// <param name="IsNow">True where that is now, so that the present entries are compared with the log, too.</param>
public sealed record ReportScope(NextHop? Key, DateTimeOffset? Since, DateTimeOffset AsOf, bool IsNow);

/// <summary>A report for people who were not there: what was changed, by whom and why, what stands now, and whether the record is whole.</summary>
/// <remarks>
/// All of it is of the audit log (<see cref="AuditPast"/>): the same log and the same moment are the same report, whatever probes have seen or
/// forgotten since. Changes and entries are streamed, and of many only the first are told of, which the summary says.
/// </remarks>
public sealed class AuditReport
{
    /// <summary>How many rows of a change are shown. An import has as many as there are entries, all for the same reason.</summary>
    public const int MostRowsOfChange = 100;

    /// <summary>How many rows are shown in all, the newest first.</summary>
    public const int MostRows = 20_000;

    /// <summary>How many entries are shown, in the order of their keys.</summary>
    public const int MostEntries = 2_000;

    private readonly AuditPast past;

    private AuditReport(AuditPast past, ReportScope scope, ReportSummary summary)
    {
        this.past = past;
        Scope = scope;
        Summary = summary;
    }

    /// <summary>What the report is about.</summary>
    public ReportScope Scope { get; }

    /// <summary>The first page.</summary>
    public ReportSummary Summary { get; }

    /// <summary>Reads what a report says, in one moment of the store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="scope">What the report is about.</param>
    /// <param name="progress">Told how many rows of the log are verified.</param>
    /// <param name="write">Writes the report; its lists can be read one at a time.</param>
    /// <exception cref="RefusedException">The log has nothing of that time, or of that key.</exception>
    public static T Read<T>(PolicyStore store, ReportScope scope, IProgress<long>? progress, Func<AuditReport, T> write)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(scope);
        ArgumentNullException.ThrowIfNull(write);
        return store.ReadPast(scope.AsOf, past =>
        {
            if (past.Begins is not { } begins)
                throw new RefusedException(Refusal.NotConfigured, $"the audit log has nothing until {UtcTime.Text(scope.AsOf)}; policyctl audit --limit 0");
            if (scope.Key is { } key && !past.LastSteps(key).Any())
                throw new RefusedException(Refusal.NotConfigured, $"{key.Text}: the audit log has no such entry until {UtcTime.Text(scope.AsOf)}; policyctl domain list");
            return write(new AuditReport(past, scope, ReportSummary.Of(past, scope, begins, progress)));
        });
    }

    /// <summary>The changes that are shown, the newest first.</summary>
    public IEnumerable<ReportedChange> Changes()
    {
        var left = Summary.ShownChanges;
        ReportedChange? change = null;
        foreach (var row in left == 0 ? [] : past.Newest(Scope.Key, Scope.Since))
        {
            if (change?.Id != row.ChangeId)
            {
                if (change is not null)
                {
                    yield return change.InOrder();
                    if (--left == 0)
                        yield break;
                }

                change = new ReportedChange(row.ChangeId, row.Time, row.Actor, row.Command, row.Reason);
            }

            change.Add(row);
        }

        if (change is not null)
            yield return change.InOrder();
    }

    /// <summary>The entries that are shown, in the order of their keys; of one key it may be one that was removed.</summary>
    public IEnumerable<ReportedEntry> Entries() => past.Steps(Scope.Key)
        .Where(steps => Scope.Key is not null || steps[^1].Entry is not null || !steps[^1].IsReadable)
        .Take(MostEntries).Select(ReportedEntry.Of);
}

/// <summary>A change and its rows, the first ones of many.</summary>
/// <param name="Id">Its number, which <c>undo</c> takes.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Actor">Who made it.</param>
/// <param name="Command">The command.</param>
/// <param name="Reason">The reason that was given; null for none.</param>
public sealed record ReportedChange(long Id, DateTimeOffset Time, Actor Actor, string Command, string? Reason)
{
    // Read backwards, so that the first rows are those that come last.
    private readonly Queue<ReportedRow> rows = new();

    /// <summary>Its rows, in their order.</summary>
    public IReadOnlyList<ReportedRow> Rows { get; private init; } = [];

    /// <summary>How many rows there are in all.</summary>
    public long Count { get; private set; }

    internal void Add(AuditRow row)
    {
        Count++;
        if (rows.Count == AuditReport.MostRowsOfChange)
            rows.Dequeue();
        rows.Enqueue(new ReportedRow(row, AuditPast.ReadDecisions(row)));
    }

    internal ReportedChange InOrder() => this with { Rows = [.. rows.Reverse()] };
}

/// <summary>A row of the audit log.</summary>
/// <param name="Row">The row.</param>
/// <param name="Decided">The pins that a rule moved, and why.</param>
public sealed record ReportedRow(AuditRow Row, IReadOnlyList<DecidedPin> Decided);
