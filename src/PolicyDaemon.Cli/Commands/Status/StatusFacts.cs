using System.Collections.Immutable;
using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The machinery behind the answers: daemon, snapshot, lookups, prober, discovery, store.</summary>
internal static class StatusFacts
{
    /// <summary>Five lines, and what of the rest is not as it should be.</summary>
    internal static List<(string Name, Cell Value)> Short(StatusReport status)
    {
        var facts = new List<(string, Cell)> { ("daemon", Daemon(status)) };
        // Where there is no snapshot the first line of the screen says what becomes of mail.
        if (status.Live is { Snapshot: not null })
        {
            var counters = status.Live.Counters;
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $"{MailEffect.Of(status)}; {counters.Found} found, {counters.NotFound} not found, {counters.Temporary} temporary");
            facts.Add(("answers", MailEffect.IsOfLastGood(status) ? new Cell(text, Tone.Bad) : text));
        }

        if (status.Live?.Prober is { } prober)
            facts.AddRange(ProberFacts.Of(prober).Where((fact, at) => at == 0 || fact.Value.Tone is Tone.Bad or Tone.Caution));
        if (status.Live?.Discovery is { } discovery)
            facts.Add(("discovery", ProberFacts.Of(discovery)));
        facts.Add(("store", status.StoreProblem is { } problem ? new Cell(problem.Message, Tone.Bad) : Store(status)));
        facts.AddRange(NodeFacts.Short(status));
        if (Temporary(status) is { } temporary)
            facts.Add(temporary);
        if (Advice(status) is { } advice)
            facts.Add(advice);
        if (status.Live is { LogLinesDropped: > 0 } loud)
            facts.Add(("log", Dropped(loud)));
        return facts;
    }

    /// <summary>How much advice there is, with the command that shows it; null for none.</summary>
    internal static (string Name, Cell Value)? Advice(StatusReport status)
    {
        var kinds = (status.Open?.Kinds ?? ImmutableDictionary<string, long>.Empty).Where(kind => FindingText.IsAdvice(kind.Key)).OrderBy(kind => kind.Key, StringComparer.Ordinal).ToList();
        return kinds.Count == 0 ? null : ("advice", string.Join("; ", kinds.Select(kind => $"{Phrases.Count(kind.Value, "entry", "entries")}: policyctl status --kind {kind.Key}")));
    }

    /// <summary>All facts: daemon, store, snapshot, prober, lookups, discovery and counts, as <c>status --all</c> shows them.</summary>
    /// <param name="status">The report.</param>
    /// <param name="older">Tables of smtp_tls_policy_maps behind the daemon, which answer what it only observes.</param>
    internal static List<(string Name, Cell Value)> All(StatusReport status, IReadOnlyList<string> older)
    {
        var facts = new List<(string, Cell)> { ("daemon", Daemon(status)), ("mail", MailEffect.Of(status)) };
        if (status.Live is { } live)
        {
            facts.Add(("listening", string.Join(", ", live.Endpoints)));
            if (live.Snapshot is { } snapshot)
                facts.Add(("snapshot", string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Phrases.Count(snapshot.Destinations, "destination")} up to row {snapshot.Sequence} of the audit log, from the {snapshot.Source}, since {UtcTime.Text(snapshot.LoadedAt)}")));
            var counters = live.Counters;
            facts.Add(("lookups", string.Create(
                CultureInfo.InvariantCulture,
                $"{counters.Found} found, {counters.NotFound} not found, {counters.Temporary} temporary, {counters.Permanent} permanent, {counters.NearMisses} near misses")));
            if (live.LogLinesDropped > 0)
                facts.Add(("log", Dropped(live)));
        }

        if (status.Live?.Prober is { } prober)
            facts.AddRange(ProberFacts.Of(prober));
        if (status.Live?.Discovery is { } discovery)
            facts.Add(("discovery", ProberFacts.Of(discovery)));
        facts.Add(("store", status.StoreProblem is { } problem ? new Cell(problem.Message, Tone.Bad) : Store(status)));
        facts.AddRange(NodeFacts.All(status));
        if (status.Counts is { } counts)
        {
            facts.Add(("levels", Join(counts.ByLevel.OrderBy(level => level.Key).Select(level => (level.Key.Name(), level.Value)))));
            facts.Add(("verdicts", VerdictText.Counts(status.Enforced, counts.Destinations - counts.Observed)));
            if (Temporary(status) is { } temporary)
                facts.Add(temporary);

            if (counts.Observed > 0)
                facts.Add(("observed", VerdictText.Counts(status.Observed, counts.Observed)
                    + (status.Observed.Count == 0 ? "" : "; " + VerdictText.Enforcing(status.Observed))
                    + (older.Count == 0 ? "" : $"; until then {string.Join(" and ", older)} of smtp_tls_policy_maps decides about their mail (policyctl setup)")));
            facts.Add(("pins", Join(counts.PinsByState.OrderBy(state => state.Key).Select(state => (state.Key.Name(), state.Value)))));
        }

        return facts;
    }

    /// <summary>How many entries end by themselves, and which is next; null for none.</summary>
    internal static (string Name, Cell Value)? Temporary(StatusReport status) => status is { Counts: { } counts, Temporary: [var next, ..] }
        ? ("temporary", new Cell(
            $"{Phrases.Count((int)Math.Min(counts.Temporary, int.MaxValue), "entry", "entries")} by --until; the next: {Temporary(status, next)}", Tone.Caution))
        : null;

    /// <summary>What holds of an entry until it ends, and what then.</summary>
    internal static string Temporary(StatusReport status, Destination entry) =>
        $"{entry.Key} at level {entry.Policy.Level.Name()}, {EntryEnd.Of(entry, status.Settings.Postfix)}";

    private static Cell Daemon(StatusReport status) => status switch
    {
        { Elsewhere: { } elsewhere } => new Cell(elsewhere, Tone.Caution),
        { Running: false } => new Cell("not running", Tone.Bad),
        { Live: null, Running: true, Daemon: { } last } => new Cell(
            $"running, but it has not written {status.Settings.StatusFile} since {UtcTime.Text(last.WrittenAt)}; its log says why", Tone.Caution),
        { Live: null } => new Cell($"cannot be told: {status.Settings.StatusFile} is not there, or you may not read it", Tone.Caution),
        { Live: { } live } => new Cell(
            string.Create(CultureInfo.InvariantCulture, $"running, process {live.ProcessId}, version {live.Version}, since {UtcTime.Text(live.StartedAt)}"), Tone.Good),
    };

    private static Cell Dropped(DaemonStatus live) => new(
        string.Create(CultureInfo.InvariantCulture, $"{live.LogLinesDropped} lines dropped: nobody read it, or it could not be written"), Tone.Caution);

    private static Cell Store(StatusReport status) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Settings.Database}: {Phrases.Count(status.Counts!.Destinations, "destination")} ({status.Counts.Observed} only observed), audit log at row {status.Head!.Value.Sequence}")
        + (status.OnlyRead is { } reason ? $"; {reason.Message}" : "")
        + (status.FailoverRisk is { } risk ? $"; {risk}" : ""),
        status.OnlyRead is not null ? Tone.Bad : status.FailoverRisk is null ? Tone.Plain : Tone.Caution);

    private static string Join(IEnumerable<(string Name, long Count)> counts)
    {
        var text = string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Count} {count.Name}")));
        return text.Length > 0 ? text : "none";
    }
}
