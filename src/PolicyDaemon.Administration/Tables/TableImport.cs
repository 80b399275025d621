using System.Collections;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Administration.Tables;

/// <summary>Options of an import.</summary>
public sealed record ImportOptions
{
    /// <summary>What to do with rows whose pins Postfix cannot compare.</summary>
    public UnservableRows Unservable { get; init; } = UnservableRows.Refuse;

    /// <summary>True where example.com is added with the same policy if the table has a row for .example.com only.</summary>
    public bool WithApex { get; init; }

    /// <summary>True where every row is imported as an observed entry.</summary>
    public bool Observe { get; init; }

    /// <summary>True where rows replace the policy of configured keys; otherwise such a row is refused unless it says the same.</summary>
    public bool Replace { get; init; }
}

/// <summary>Imports a Postfix policy table: all of its rows or none.</summary>
/// <remarks>The table is read once, before the store is locked; what is kept of a million rows is as long as the table itself.</remarks>
/// <param name="file">The table's name, for messages.</param>
public sealed class TableImport(string file, ImportOptions options, Settings settings, TimeProvider time)
{
    private const int AskedAtOnce = 1000;

    // A table with fewer rows, all of them wrong, is told what is wrong with each.
    private const int FewestLinesOfNoTable = 10;

    private readonly TableRows rows = new();
    private readonly List<string> warnings = [];
    private readonly List<string> problems = [];
    private int unservable;

    /// <summary>The entries of the rows, in the order in which they are written to the store; made anew each time.</summary>
    public IEnumerable<Destination> Destinations => rows.Ordered().Select(row => row.Destination);

    /// <summary>Warnings, each with its place in the file.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>True where rows are refused for nothing but pins that Postfix cannot compare: a probe may carry them over, or they are kept as observed.</summary>
    public bool IsOnlyUnservable => problems.Count > 0 && unservable == problems.Count;

    /// <summary>Reads the table. Problems are kept until <see cref="RefuseProblems"/>, so that all of them are told at once.</summary>
    /// <exception cref="RefusedException">The table is no text.</exception>
    public void Read(Stream source)
    {
        var tableOptions = new TableOptions(settings.Postfix, UtcTime.WholeSeconds(time.GetUtcNow()))
        {
            Unservable = options.Unservable,
            WithApex = options.WithApex,
            Observe = options.Observe,
        };
        foreach (var item in PolicyTableReader.Read(source, tableOptions))
        {
            if (item.Kind == TableItemKind.Row)
            {
                rows.Add(new TableRow(item.Line, item.Destination!));
                continue;
            }

            var place = item.Line > 0 ? Place(item.Line) : file;
            if (item.Kind == TableItemKind.Warning)
                warnings.Add($"{place}: {item.Problem}");
            else if (item.Kind == TableItemKind.NoText)
                throw new RefusedException(Refusal.TableUnreadable, $"{place}: {item.Problem}; nothing was changed");
            else
            {
                problems.Add($"{place}: {item.Problem}");
                unservable += item.IsUnservable ? 1 : 0;
            }
        }

        if (rows.Count == 0 && problems.Count == 0)
            warnings.Add($"{file}: the table has no rows");
    }

    /// <summary>Carries the pins of each row over to the digest that Postfix compares.</summary>
    /// <param name="conversion">The conversion, after it has probed the rows.</param>
    /// <param name="mayObserve">A row whose pins cannot be carried over is imported as observed; otherwise it is a problem.</param>
    public void Convert(TableConversion conversion, bool mayObserve)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            var converted = conversion.Convert(row.Destination);
            if (converted.Problem is null && ReferenceEquals(converted.Row, row.Destination))
                continue;
            warnings.AddRange(converted.Warnings.Select(warning => $"{Place(row.Line)}: {warning}"));
            if (converted.Problem is not null && mayObserve)
                warnings.Add($"{Place(row.Line)}: {converted.Problem}; it is imported as observed");
            else if (converted.Problem is not null)
            {
                problems.Add($"{Place(row.Line)}: {converted.Problem}");
                unservable++;
            }

            rows[i] = converted.Problem is null
                ? row with { Destination = converted.Row, Evidence = converted.Evidence }
                : row with { Destination = row.Destination with { Observe = true } };
        }
    }

    /// <exception cref="RefusedException">Some row cannot be imported; the details are all of them.</exception>
    public void RefuseProblems()
    {
        if (problems.Count == 0)
            return;
        // Whatever this is, to tell what is wrong with each of its lines helps nobody.
        throw rows.Count == 0 && problems.Count >= FewestLinesOfNoTable
            ? new RefusedException(
                Refusal.TableUnreadable,
                FormattableString.Invariant($"{file}: this is no Postfix TLS policy table, none of its {problems.Count} lines is a row of one; nothing was changed. The first: {problems[0]}"))
            : Refused(problems);
    }

    /// <summary>What the rows want of the store; each is compared with its entry when its turn comes, and all conflicts are told at the end.</summary>
    /// <exception cref="RefusedException">While it is enumerated: a row says something else than the entry with its key, and nothing is to be replaced.</exception>
    public IReadOnlyCollection<PlannedChange> Plan(StoreView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        return new TablePlan(rows.Count, Compare(view));
    }

    private IEnumerable<PlannedChange> Compare(StoreView view)
    {
        var conflicts = new List<(int Line, string Text)>();
        foreach (var (line, row, evidence) in Expected(view))
        {
            var before = view.Find(row.Key);
            var after = before is null ? row : Merge(before, row);
            if (before is not null && !options.Replace && !before.Equals(after))
                conflicts.Add((line, $"{Place(line)}: {row.Key} is configured already with another policy or other pins; --replace takes those of the table"));
            else if (conflicts.Count == 0)
                yield return new PlannedChange(row.Key, before, after) 
                {
                    Place = Place(line),
                    Evidence = evidence,
                    // Nothing else than its pins makes an observed entry of such a row, with a warning.
                    IsDigestSaid = row.Observe && !options.Observe,
                };
        }

        if (conflicts.Count > 0)
            throw Refused([.. conflicts.OrderBy(conflict => conflict.Line).Select(conflict => conflict.Text)]);
    }

    private IEnumerable<TableRow> Expected(StoreView view)
    {
        foreach (var some in rows.Ordered().Chunk(AskedAtOnce))
        {
            view.Expect([.. some.Select(row => row.Destination.Key)]);
            foreach (var row in some)
                yield return row;
        }
    }

    /// <summary>The entry with the table's policy and pins. A pin that the entry has already keeps its state, and served pins that the table lacks are retired.</summary>
    private Destination Merge(Destination before, Destination row)
    {
        var pins = before.Pins;
        var given = row.Pins.Where(pin => pin.IsServed).ToList();
        foreach (var pin in given)
            pins = PinEditing.Trust(before.Key, pins, pin.Fingerprint, pin.Subject, time, readmit: false);
        if (row.Policy.Level.MatchesFingerprints())
        {
            var kept = given.Select(pin => pin.Fingerprint).ToHashSet();
            foreach (var pin in before.Pins.Where(pin => pin.IsServed && !kept.Contains(pin.Fingerprint)))
                pins = pins.Retire(pin.Fingerprint, PinEditing.Now(time));
        }

        return before with { Policy = row.Policy, Pins = pins, Observe = row.Observe, Floor = row.Floor, Until = null, Former = null };
    }

    private string Place(int line) => FormattableString.Invariant($"{file}:{line}");

    private RefusedException Refused(List<string> reasons) => new(
        Refusal.TableRefused,
        reasons.Count == 1
            ? $"{file} cannot be imported as it is; nothing was changed"
            : FormattableString.Invariant($"{file} cannot be imported as it is, it has {reasons.Count} problems; nothing was changed"),
        reasons);

    /// <summary>So many plans, made one after the other.</summary>
    private sealed class TablePlan(int count, IEnumerable<PlannedChange> plans) : IReadOnlyCollection<PlannedChange>
    {
        public int Count => count;

        public IEnumerator<PlannedChange> GetEnumerator() => plans.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
