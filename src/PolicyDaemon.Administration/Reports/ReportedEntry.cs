using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Reports;

/// <summary>An entry at the moment of a report, and how its pins came to be what they are.</summary>
/// <param name="Key">The key.</param>
/// <param name="Entry">The entry; null where it was removed, or cannot be read.</param>
/// <param name="IsReadable">False where a later version wrote the entry, or somebody altered it.</param>
/// <param name="Last">The last row about it.</param>
/// <param name="LevelSince">The row that brought it to its level; null where there is no entry.</param>
/// <param name="Pins">Every pin that it has or had, in the order in which they came.</param>
public sealed record ReportedEntry(string Key, Destination? Entry, bool IsReadable, AuditRow Last, AuditRow? LevelSince, IReadOnlyList<PinHistory> Pins)
{
    internal static ReportedEntry Of(IReadOnlyList<EntryStep> steps)
    {
        var last = steps[^1];
        var pins = new List<PinHistory>();
        AuditRow? levelSince = null;
        Destination? before = null;
        foreach (var step in steps.Where(step => step.IsReadable))
        {
            if (step.Entry?.Policy.Level != before?.Policy.Level)
                levelSince = step.Row;
            Follow(pins, step);
            before = step.Entry;
        }

        return new ReportedEntry(last.Row.Key!, last.Entry, last.IsReadable, last.Row, last.Entry is null ? null : levelSince, pins);
    }

    private static void Follow(List<PinHistory> pins, EntryStep step)
    {
        var after = step.Entry?.Pins ?? [];
        foreach (var pin in after)
        {
            var history = pins.Find(known => known.Pin.Fingerprint == pin.Fingerprint);
            if (history is null)
                pins.Add(history = new PinHistory(pin));
            history.Enter(pin, Decision(step, pin.Fingerprint.Hex, PinPeriod.Name(history.State), pin.State.Name()));
        }

        foreach (var gone in pins.Where(known => known.State is not null && !after.Any(pin => pin.Fingerprint == known.Pin.Fingerprint)))
            gone.Leave(Decision(step, gone.Pin.Fingerprint.Hex, PinPeriod.Name(gone.State), null));
    }

    private static PinDecisionPast Decision(EntryStep step, string fingerprint, string? from, string? to)
    {
        var rule = step.Decided.LastOrDefault(moved => moved.Fingerprint == fingerprint);
        return new PinDecisionPast(step.Row.Time, step.Row.Actor, step.Row.ChangeId, from, to, rule?.Rule, rule?.Reason ?? step.Row.Reason);
    }
}

/// <summary>What became of a pin of an entry, state by state.</summary>
public sealed class PinHistory
{
    private readonly List<PinPeriod> periods = [];
    private readonly List<PinDecisionPast> decisions = [];

    internal PinHistory(Pin pin) => Pin = pin;

    /// <summary>The pin as it was last.</summary>
    public Pin Pin { get; private set; }

    /// <summary>The state at the end; null where the entry does not have it any more.</summary>
    public PinState? State { get; private set; }

    /// <summary>Its states, the first one first; without those times in which the entry did not have it.</summary>
    public IReadOnlyList<PinPeriod> Periods => periods;

    /// <summary>The decisions that moved it, the first one first.</summary>
    public IReadOnlyList<PinDecisionPast> Decisions => decisions;

    internal void Enter(Pin pin, PinDecisionPast decision)
    {
        Pin = pin;
        if (State == pin.State)
            return;
        End(decision);
        periods.Add(new PinPeriod(pin.State, decision.At, null));
        State = pin.State;
    }

    internal void Leave(PinDecisionPast decision)
    {
        End(decision);
        State = null;
    }

    private void End(PinDecisionPast decision)
    {
        decisions.Add(decision);
        if (State is not null)
            periods[^1] = periods[^1] with { Until = decision.At };
    }
}

/// <summary>A time in which a pin was in one state.</summary>
/// <param name="State">The state.</param>
/// <param name="From">When it entered the state.</param>
/// <param name="Until">When it left the state; null where it is in it still.</param>
public sealed record PinPeriod(PinState State, DateTimeOffset From, DateTimeOffset? Until)
{
    internal static string? Name(PinState? state) => state?.Name();
}

/// <summary>A decision that moved a pin.</summary>
/// <param name="At">When.</param>
/// <param name="Actor">Who decided.</param>
/// <param name="Change">The number of the change.</param>
/// <param name="From">The name of the state before; null where the entry did not have the pin.</param>
/// <param name="To">The name of the state after; null where the entry lost it.</param>
/// <param name="Rule">The rule of the life cycle; null where a person decided.</param>
/// <param name="Reason">The reason that was given; null for none.</param>
public sealed record PinDecisionPast(DateTimeOffset At, Actor Actor, long Change, string? From, string? To, string? Rule, string? Reason);
