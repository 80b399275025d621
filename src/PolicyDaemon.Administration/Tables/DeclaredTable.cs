using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Administration.Tables;

/// <summary>Entries as a file declares them: the store is made so, and a second time there is nothing to do.</summary>
/// <param name="file">The file's name, for messages.</param>
public sealed class DeclaredTable(string file, Settings settings, TimeProvider time)
{
    // A million entries with their pins stay below.
    private const int MaxBytes = 1 << 30;

    /// <summary>Rows whose entries a store on a server is asked for at once.</summary>
    private const int AskedAtOnce = 1000;

    private readonly List<TableRow> rows = [];
    private readonly List<string> warnings = [];
    private readonly List<string> problems = [];
    private bool isJson;

    public IReadOnlyList<TableRow> Rows => rows;

    /// <summary>The warnings about what is legal and doubtful, each with its place in the file.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>Reads a table with the attributes of <see cref="EntryAttributes"/>, or JSON.</summary>
    /// <exception cref="RefusedException">It cannot be read; the details are all that is wrong with it.</exception>
    public void Read(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var options = new TableOptions(settings.Postfix, UtcTime.WholeSeconds(time.GetUtcNow())) { WithEntryAttributes = true };
        using var whole = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int count; (count = source.Read(buffer)) > 0;)
        {
            if (whole.Length + count > MaxBytes)
                throw new RefusedException(Refusal.TableUnreadable, $"{file}: it is larger than a gigabyte; split it. Nothing was changed");
            whole.Write(buffer, 0, count);
        }

        whole.Position = 0;
        var bytes = whole.GetBuffer().AsMemory(0, (int)whole.Length);
        isJson = EntryJsonReader.IsJson(bytes.Span);
        foreach (var item in isJson ? EntryJsonReader.Read(bytes, options) : PolicyTableReader.Read(whole, options))
        {
            var place = item.Line > 0 ? Place(item.Line) : file;
            if (item.Kind == TableItemKind.Row)
            {
                rows.Add(new TableRow(item.Line, item.Destination!));
                if (item.Destination is { Until: { } end, Former: null } gone && end <= time.GetUtcNow())
                    warnings.Add($"{place}: the entry {gone.Key} ended at {UtcTime.Text(end)} and is passed over; take the row out");
            }
            else if (item.Kind == TableItemKind.Warning)
                warnings.Add($"{place}: {item.Problem}");
            else if (item.Kind == TableItemKind.NoText)
                throw new RefusedException(Refusal.TableUnreadable, $"{file}:{item.Line}: {item.Problem}; nothing was changed");
            else
                problems.Add($"{place}: {item.Problem}");
        }

        if (problems.Count > 0)
            throw Refused(problems);
    }

    /// <summary>Plans the changes that make the store as the file says.</summary>
    /// <param name="prunes">Entries that the file lacks go, of those that are within its scope; without it they stay.</param>
    /// <param name="scope">The keys that the file is about; null for all.</param>
    /// <param name="hasReason">Somebody said why.</param>
    /// <param name="isMeant">False for a row that is to be passed over; null for none.</param>
    /// <exception cref="RefusedException">Everything would go.</exception>
    public IReadOnlyList<PlannedChange> Plan(StoreView view, bool prunes, IReadOnlySet<NextHop>? scope, bool hasReason, Func<Destination, bool>? isMeant = null)
    {
        ArgumentNullException.ThrowIfNull(view);
        var declared = new DeclaredEntry(view, time, hasReason);
        // A file may be older than the end of one of its entries: it says then what came to be, and of one that went nothing.
        var meant = rows.Where(row => isMeant?.Invoke(row.Destination) != false && row.Destination.At(view.Now) is not null).ToList();
        var planned = new List<PlannedChange>(meant.Count);
        foreach (var some in InOrder(meant).Chunk(AskedAtOnce))
        {
            view.Expect([.. some.Select(row => row.Destination.Key)]);
            planned.AddRange(some.Select(row => Planned(declared, row, view.Now)));
        }

        if (!prunes)
            return planned;
        var named = rows.Where(row => row.Destination.At(view.Now) is not null).Select(row => row.Destination.Key).ToHashSet();
        var gone = view.Store.List().Where(entry => entry.At(view.Now) is not null && !named.Contains(entry.Key) && scope?.Contains(entry.Key) != false).ToList();
        if (rows.Count == 0 && scope is null && gone.Count > 0)
        {
            throw new RefusedException(
                Refusal.TableRefused,
                $"{file} has no entries, and --prune would remove all {gone.Count}; nothing was changed. If that is meant: policyctl domain remove '**' --reason \"why\"");
        }

        // An emptied editor is a slip more often than a wish.
        if (rows.Count == 0 && scope is not null && gone.Count > 1)
        {
            throw new RefusedException(
                Refusal.TableRefused,
                $"{file} has no entries any more, and all {gone.Count} would go; nothing was changed. If that is meant: policyctl domain remove KEY ... --reason \"why\"");
        }

        planned.AddRange(gone.Select(entry => new PlannedChange(entry.Key, entry, null)));
        return planned;
    }

    // What is near in the store is asked for at once, and of many rows nobody is told one by one.
    private static IEnumerable<TableRow> InOrder(List<TableRow> meant) => meant.Count <= ChangeFlow.ManyKeys
        ? meant
        : meant.OrderBy(row => row.Destination.Key.Text.TrimStart('['), StringComparer.Ordinal);

    private PlannedChange Planned(DeclaredEntry declared, TableRow row, DateTimeOffset now)
    {
        var plan = declared.Plan(row.Destination.At(now)!) with { Place = Place(row.Line) };
        return row.Destination.Until is { } end && end <= now
            ? plan with { Warnings = [.. plan.Warnings, $"what was temporary in it ended at {UtcTime.Text(end)}: taken is what came then"] }
            : plan;
    }

    private string Place(int place) => isJson ? FormattableString.Invariant($"{file}, entry {place}") : FormattableString.Invariant($"{file}:{place}");

    private RefusedException Refused(List<string> reasons) => new(
        Refusal.TableRefused,
        reasons.Count == 1
            ? $"{file} cannot be applied as it is; nothing was changed"
            : FormattableString.Invariant($"{file} cannot be applied as it is, it has {reasons.Count} problems; nothing was changed"),
        reasons);
}
