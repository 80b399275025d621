using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Reports;

/// <summary>The first page of a report: whether the record is whole, and how much it says.</summary>
public sealed record ReportSummary
{
    /// <summary>The identity of the store.</summary>
    public required string StoreId { get; init; }

    /// <summary>When the store was made, which is the first row of its log.</summary>
    public required DateTimeOffset Begins { get; init; }

    /// <summary>The last row of the log at the moment, whether or not the chain is sound up to it.</summary>
    public required AuditHead Head { get; init; }

    /// <summary>What checking the chain found.</summary>
    public required AuditVerification Verification { get; init; }

    /// <summary>How many changes there are in the time that the report is about.</summary>
    public long Changes { get; private set; }

    /// <summary>How many rows these have.</summary>
    public long Rows { get; private set; }

    /// <summary>How many of the changes are shown, the newest ones.</summary>
    public long ShownChanges { get; private set; }

    /// <summary>True where rows of changes that are shown are left out.</summary>
    public bool AreRowsLeftOut { get; private set; }

    /// <summary>Who made them: the most busy first, at most as many as <see cref="MostActors"/>.</summary>
    public IReadOnlyList<ReportedActor> Actors { get; private set; } = [];

    /// <summary>How many are not among <see cref="Actors"/>.</summary>
    public int OtherActors { get; private set; }

    /// <summary>How many entries there are at the moment.</summary>
    public long Entries { get; private set; }

    /// <summary>How many of them cannot be read.</summary>
    public long Unreadable { get; private set; }

    /// <summary>Entries by TLS security level, those that are only observed apart; levels without any are left out.</summary>
    public IReadOnlyList<ReportedLevel> Levels { get; private set; } = [];

    /// <summary>Pins of these entries by state and strength; what there is none of is left out.</summary>
    public IReadOnlyList<ReportedPins> Pins { get; private set; } = [];

    /// <summary>How many actors are named.</summary>
    public const int MostActors = 20;

    internal static ReportSummary Of(AuditPast past, ReportScope scope, DateTimeOffset begins, IProgress<long>? progress)
    {
        var summary = new ReportSummary
        {
            StoreId = past.StoreId,
            Begins = begins,
            Head = past.Head,
            Verification = past.Verify(scope.IsNow, progress),
        };
        summary.CountChanges(past.Changes(scope.Key, scope.Since));
        summary.CountEntries(past.LastSteps(scope.Key));
        return summary;
    }

    private void CountChanges(IEnumerable<AuditedChange> changes)
    {
        var actors = new Dictionary<string, ReportedActor>(StringComparer.Ordinal);
        var shown = 0L;
        foreach (var change in changes)
        {
            Changes++;
            Rows += change.Rows;
            var name = change.Actor.ToString();
            var actor = actors.GetValueOrDefault(name) ?? new ReportedActor(name, 0, 0, 0);
            actors[name] = actor with
            {
                Changes = actor.Changes + 1, Rows = actor.Rows + change.Rows, WithReason = actor.WithReason + (change.HasReason ? 1 : 0),
            };
            if (shown >= AuditReport.MostRows)
                continue;
            shown += Math.Min(change.Rows, AuditReport.MostRowsOfChange);
            ShownChanges++;
            AreRowsLeftOut |= change.Rows > AuditReport.MostRowsOfChange;
        }

        Actors = [.. actors.Values.OrderByDescending(actor => actor.Changes).ThenBy(actor => actor.Name, StringComparer.Ordinal).Take(MostActors)];
        OtherActors = actors.Count - Actors.Count;
    }

    private void CountEntries(IEnumerable<EntryStep> steps)
    {
        var levels = new Dictionary<TlsLevel, ReportedLevel>();
        var pins = new Dictionary<(PinState State, PinStrength? Strength), long>();
        foreach (var step in steps)
        {
            Entries += step.Entry is not null || !step.IsReadable ? 1 : 0;
            Unreadable += step.IsReadable ? 0 : 1;
            if (step.Entry is not { } entry)
                continue;
            var level = levels.GetValueOrDefault(entry.Policy.Level) ?? new ReportedLevel(entry.Policy.Level, 0, 0);
            levels[entry.Policy.Level] = entry.Observe ? level with { Observed = level.Observed + 1 } : level with { Enforced = level.Enforced + 1 };
            foreach (var pin in entry.Pins)
                pins[(pin.State, pin.Strength)] = pins.GetValueOrDefault((pin.State, pin.Strength)) + 1;
        }

        Levels = [.. levels.Values.OrderBy(level => level.Level)];
        Pins = [.. pins.OrderBy(pair => pair.Key.State).ThenBy(pair => pair.Key.Strength).Select(pair => new ReportedPins(pair.Key.State, pair.Key.Strength, pair.Value))];
    }
}

/// <summary>Who made changes.</summary>
/// <param name="Name">The actor, as the log names it.</param>
/// <param name="Changes">How many.</param>
/// <param name="Rows">How many rows these have.</param>
/// <param name="WithReason">How many of the changes have a reason.</param>
public sealed record ReportedActor(string Name, long Changes, long Rows, long WithReason);

/// <summary>How many entries have a level.</summary>
/// <param name="Level">The level.</param>
/// <param name="Enforced">Those that are enforced.</param>
/// <param name="Observed">Those that are only observed.</param>
public sealed record ReportedLevel(TlsLevel Level, long Enforced, long Observed);

/// <summary>How many pins have a state and a strength.</summary>
/// <param name="State">The state.</param>
/// <param name="Strength">The evidence on which they were trusted; null for none.</param>
/// <param name="Count">How many.</param>
public sealed record ReportedPins(PinState State, PinStrength? Strength, long Count);
