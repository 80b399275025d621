namespace PolicyDaemon.Cli.Output;

/// <summary>How a table's cells stand on a screen: in columns where those fit, one below the other where they do not.</summary>
/// <remarks>
/// <code>
/// columns            as wide as their widest cell; without those that the table can spare
/// last one broken    at blanks, or cut where the table says so, as long as it has room for a few words
/// last one below     as a paragraph, where the table says so and it has less room than that
/// rows of two        the columns that fit, and the other cells named in a line below
/// blocks             where not two fit: a row is a heading, its first cell, with the others named below
/// </code>
/// Nothing is broken inside a word: a fingerprint in two lines can be neither read nor copied.
/// </remarks>
internal sealed class TableLayout
{
    private const int Gap = 2;

    // A column of free text that is narrower than this is no easier to read than a block.
    private const int RoomForText = 16;

    private const int IndentBelow = 4;

    private const string Ellipsis = "...";

    private readonly int[] shown;
    private readonly int[] widths;
    private readonly int[] below;
    private readonly int screen;
    private readonly bool cuts;
    private bool isBelowNamed = true;

    private TableLayout(int[] shown, int[] widths, int[] below, int screen, bool cuts) =>
        (this.shown, this.widths, this.below, this.screen, this.cuts) = (shown, widths, below, screen, cuts);

    /// <returns>Null where the table is to be shown in blocks.</returns>
    internal static TableLayout? Of(Table table, IReadOnlyList<Cell[]> rows, int screen)
    {
        var widths = new int[table.Columns.Count];
        for (var column = 0; column < widths.Length; column++)
            widths[column] = Math.Max(table.Columns[column].Length, rows.Count == 0 ? 0 : rows.Max(row => row[column].Text.Length));
        var all = Enumerable.Range(0, widths.Length).ToArray();
        for (var spared = 0; spared <= table.Spare.Count; spared++)
        {
            var left = table.Spare.Take(spared).ToHashSet(StringComparer.Ordinal);
            var columns = all.Where(column => !left.Contains(table.Columns[column])).ToArray();
            var room = screen == 0 ? int.MaxValue : screen - Width(columns[..^1], widths) - Gap;
            if (room >= widths[columns[^1]] || (columns[^1] == all[^1] && room >= RoomForText && IsBreakable(table, rows, room)))
                return room < widths[columns[^1]] && room < table.LastBelowUnder && columns[^1] == all[^1]
                    ? new TableLayout(columns[..^1], widths, all[^1..], screen, cuts: false) { isBelowNamed = false }
                    : new TableLayout(columns, widths, [], screen, table.CutsLast);
        }

        var fit = all.Last(count => count == 0 || Width(all[..count], widths) <= screen);
        return fit < 2 ? null : new TableLayout(all[..fit], widths, all[fit..], screen, cuts: false);
    }

    /// <summary>The lines of a row; each is its cells, as they stand, with the blanks behind them.</summary>
    internal IEnumerable<(Cell Cell, int Blanks)[]> Lines(Cell[] row)
    {
        var before = Width(shown[..^1], widths) + Gap;
        var room = screen == 0 ? int.MaxValue : screen - before;
        var last = row[shown[^1]];
        var parts = last.Text.Length <= room ? [last.Text] : cuts ? [Cut(last.Text, room)] : Wrapping.Break(last.Text, room);
        for (var i = 0; i < parts.Count; i++)
        {
            if (i > 0)
            {
                yield return [(new Cell(""), before), (last with { Text = parts[i] }, 0)];
                continue;
            }

            Cell[] cells = [.. shown[..^1].Select(column => row[column]), last with { Text = parts[0] }];
            var end = Array.FindLastIndex(cells, cell => cell.Text.Length > 0);
            yield return [.. cells.Take(end + 1).Select((cell, at) => (cell, at == end ? 0 : widths[shown[at]] - cell.Text.Length + Gap))];
        }
    }

    /// <summary>The cells that do not fit beside the others, in lines of their own; named, but for a last one that the table has below.</summary>
    internal IEnumerable<string> Below(Table table, Cell[] row)
    {
        var named = below.Where(column => row[column].Text.Length > 0)
            .Select(column => isBelowNamed ? $"{Table.Heading(table.Columns[column])} {row[column].Text}" : row[column].Text).ToList();
        return named.Count == 0
            ? []
            : Wrapping.Break(string.Join(", ", named), screen - IndentBelow).Select(line => new string(' ', IndentBelow) + line);
    }

    /// <summary>Text that is longer than the room for it, cut behind a word, and within one only where that is most of the room.</summary>
    private static string Cut(string text, int room)
    {
        var end = room - Ellipsis.Length;
        var blank = text.LastIndexOf(' ', end);
        return (blank >= room / 2 ? text[..blank].TrimEnd(' ', ',', ';', ':') : text[..end]) + Ellipsis;
    }

    private static int Width(int[] columns, int[] widths) => columns.Sum(column => widths[column] + Gap) - Gap;

    private static bool IsBreakable(Table table, IReadOnlyList<Cell[]> rows, int room) =>
        table.CutsLast || rows.Count == 0 || rows.Max(row => Wrapping.LongestWord(row[^1].Text)) <= room;
}
