namespace PolicyDaemon.Cli.Output;

/// <summary>How a table's cells stand on a screen: in columns where those fit, one below the other where they do not.</summary>
/// <remarks>
/// <code>
/// columns            as wide as their widest cell
/// last one broken    at blanks, or cut where the table says so, as long as it has room for a few words
/// blocks             a row is a heading, its first cell, with the others named below
/// </code>
/// Nothing is broken inside a word: a fingerprint in two lines can be neither read nor copied.
/// </remarks>
internal sealed class TableLayout
{
    private const int Gap = 2;

    // A column of free text that is narrower than this is no easier to read than a block.
    private const int RoomForText = 16;

    private readonly int[] widths;
    private readonly int screen;

    private TableLayout(int[] widths, int screen) => (this.widths, this.screen) = (widths, screen);

    /// <summary>Columns before the last one.</summary>
    private int Before => widths[..^1].Sum(width => width + Gap);

    /// <summary>What is left for the last column; at least its width where there is no screen.</summary>
    private int Room => screen == 0 ? int.MaxValue : screen - Before;

    /// <returns>Null where the table is to be shown in blocks.</returns>
    internal static TableLayout? Of(Table table, IReadOnlyList<Cell[]> rows, int screen)
    {
        var widths = new int[table.Columns.Count];
        for (var column = 0; column < widths.Length; column++)
            widths[column] = Math.Max(table.Columns[column].Length, rows.Count == 0 ? 0 : rows.Max(row => row[column].Text.Length));
        var layout = new TableLayout(widths, screen);
        if (layout.Room >= widths[^1])
            return layout;
        var longest = rows.Max(row => Wrapping.LongestWord(row[^1].Text));
        return layout.Room >= RoomForText && (table.CutsLast || longest <= layout.Room) ? layout : null;
    }

    /// <summary>The lines of a row; each is its cells, as they stand, with the blanks behind them.</summary>
    internal IEnumerable<(Cell Cell, int Blanks)[]> Lines(Cell[] row, bool cuts)
    {
        var last = row[^1];
        var parts = last.Text.Length <= Room ? [last.Text] : cuts ? [last.Text[..(Room - 3)] + "..."] : Wrapping.Break(last.Text, Room);
        for (var i = 0; i < parts.Count; i++)
        {
            Cell[] cells = i == 0 ? [.. row[..^1], last with { Text = parts[i] }] : [new Cell(new string(' ', Before)), last with { Text = parts[i] }];
            var end = Array.FindLastIndex(cells, cell => cell.Text.Length > 0);
            yield return [.. cells.Take(end + 1).Select((cell, column) => (cell, column == end || i > 0 ? 0 : widths[column] - cell.Text.Length + Gap))];
        }
    }
}
