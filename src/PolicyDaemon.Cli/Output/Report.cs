using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Output;

/// <summary>The format of standard output.</summary>
internal enum OutputFormat
{
    /// <summary>Aligned columns with a heading, colour on a terminal: for people.</summary>
    Table,

    /// <summary>One row a line, tabs between columns, no heading: for cut and awk. Columns are only ever added at the end.</summary>
    Tsv,

    /// <summary>One JSON value with the schema in <c>Cli/Json</c>: members are only ever added.</summary>
    Json,
}

/// <summary>Writes a command's result in the format asked for.</summary>
/// <remarks>Standard output carries the result and nothing else, except in a table, where a person wants one thing below the other.</remarks>
internal sealed class Report(Streams streams, OutputFormat format, bool colour)
{
    private const string Reset = "\x1b[0m";

    /// <summary>The column of tab-separated rows that has the command which goes on from a row.</summary>
    internal const string CommandColumn = "command";

    // In rows of named facts the command is the value of its name.
    private const string ValueColumn = "value";

    /// <summary>The column that has several of them.</summary>
    internal const string CommandsColumn = "commands";

    public OutputFormat Format { get; } = format;

    /// <summary>True where tab-separated rows begin with the names of their columns.</summary>
    public bool HasHeader { get; init; }

    /// <summary>The zone in which times are shown to a person; null for UTC.</summary>
    public TimeZoneInfo? LocalZone { get; init; }

    public bool IsTable => Format == OutputFormat.Table;

    /// <summary>Rows, or the same thing as JSON.</summary>
    public void Rows<T>(Table table, T json, JsonTypeInfo<T> schema, string? whenEmpty = null)
    {
        switch (Format)
        {
            case OutputFormat.Json:
                Json(json, schema);
                break;
            case OutputFormat.Tsv:
                Tsv(table.Columns, table.Rows.Select(row => row.Select(cell => cell.Text)));
                break;
            default:
                if (table.Rows.Count > 0)
                    Aligned(table);
                else if (whenEmpty is not null)
                    Line(whenEmpty);
                break;
        }
    }

    /// <summary>One row a line, as they come.</summary>
    public void Tsv(IReadOnlyList<string> columns, IEnumerable<IEnumerable<string>> rows)
    {
        Header(columns);
        foreach (var row in rows)
        {
            var column = 0;
            var before = "";
            foreach (var text in row)
            {
                if (column > 0)
                    streams.Out.Write('\t');
                // Data stays as it is stored: a note, too, may name a command.
                var isCommand = columns[column] is CommandColumn or CommandsColumn || (columns[column] == ValueColumn && before == CommandColumn);
                streams.Out.Write(isCommand ? streams.Commands(ShownText.Escape(text)) : ShownText.Escape(text));
                before = text;
                column++;
            }

            streams.Out.WriteLine();
        }
    }

    /// <summary>Named facts about one thing: <c>name TAB value</c> lines, or the same thing as JSON.</summary>
    public void Facts<T>(IReadOnlyList<(string Name, Cell Value)> facts, T json, JsonTypeInfo<T> schema)
    {
        switch (Format)
        {
            case OutputFormat.Json:
                Json(json, schema);
                break;
            case OutputFormat.Tsv:
                Header(["name", "value"]);
                foreach (var (name, value) in facts)
                    streams.Out.WriteLine(ShownText.Escape(name) + '\t' + ShownText.Escape(value.Text));
                break;
            default:
                Facts(facts);
                break;
        }
    }

    /// <summary>Named facts in a table.</summary>
    public void Facts(IReadOnlyList<(string Name, Cell Value)> facts)
    {
        Block(facts, facts.Count == 0 ? 0 : facts.Max(fact => fact.Name.Length), indent: 0);
    }

    /// <summary>Named facts below a heading, indented, their values broken at blanks where the terminal is narrow.</summary>
    /// <param name="labels">The width of the names, in columns.</param>
    /// <param name="indent">The columns before the names.</param>
    public void Block(IReadOnlyList<(string Name, Cell Value)> facts, int labels, int indent = 2)
    {
        foreach (var (name, value) in facts)
        {
            var label = new string(' ', indent) + name.PadRight(labels) + "  ";
            var text = Shown(value.Text);
            var width = streams.Width();
            if (width > 0 && label.Length + Wrapping.LongestWord(text) > width)
            {
                // A fingerprint behind a long name would not fit into the line; below the name it does.
                streams.Out.WriteLine(Paint(label.TrimEnd(), Tone.Faint));
                var below = new string(' ', indent + 2);
                foreach (var line in Wrapping.Break(text, width - below.Length))
                    streams.Out.WriteLine(below + Paint(line, value.Tone));
                continue;
            }

            var lines = Wrapping.Break(text, width - label.Length);
            for (var i = 0; i < lines.Count; i++)
                streams.Out.WriteLine(i == 0 ? Paint(label, Tone.Faint) + Paint(lines[i], value.Tone) : new string(' ', label.Length) + Paint(lines[i], value.Tone));
        }
    }

    /// <summary>Facts about two things beside each other; where a side is too long for that, one below the other under their names.</summary>
    public void Beside(string left, string right, IReadOnlyList<Compared> facts)
    {
        List<Compared> rows = [new("", new Cell(left, Tone.Heading), new Cell(right, Tone.Heading)), .. facts];
        List<Compared> shown = [.. rows.Select(row => row with { Left = row.Left with { Text = Shown(row.Left.Text) }, Right = row.Right with { Text = Shown(row.Right.Text) } })];
        if (BesideLayout.Lines(shown, streams.Width()) is not { } lines)
        {
            foreach (var (name, side) in new (string, Func<Compared, Cell>)[] { (left, row => row.Left), (right, row => row.Right) })
            {
                Line("  " + name, Tone.Heading);
                Block([.. facts.Select(row => (row.Name, side(row))).Where(fact => fact.Item2.Text.Length > 0)], facts.Max(row => row.Name.Length), indent: 4);
            }

            return;
        }

        foreach (var (name, one, other) in lines)
            streams.Out.WriteLine((Paint(name, Tone.Faint) + (other.Text.Length > 0 ? Paint(one.Text, one.Tone) : Paint(one.Text.TrimEnd(), one.Tone)) + Paint(other.Text, other.Tone)).TrimEnd());
    }

    private void Header(IReadOnlyList<string> columns)
    {
        if (HasHeader)
            streams.Out.WriteLine(string.Join('\t', columns));
    }

    public void Json<T>(T value, JsonTypeInfo<T> schema) => streams.Out.WriteLine(JsonSerializer.Serialize(value, schema));

    /// <summary>A report with this one's format and options that writes to other streams.</summary>
    public Report On(Streams other) => new(other, Format, colour) { HasHeader = HasHeader, LocalZone = LocalZone };

    /// <summary>A line of a table's text.</summary>
    public void Line(string text = "", Tone tone = Tone.Plain)
    {
        foreach (var line in Wrapping.Lines(Shown(text), streams.Width()))
            streams.Out.WriteLine(Paint(line, tone));
    }

    /// <summary>A line of something else's text: as it is, but escaped.</summary>
    public void Verbatim(string text) => streams.Out.WriteLine(ShownText.Escape(text));

    /// <summary>A command line below what it settles, whole: the terminal breaks it, and pasted it is one line again.</summary>
    public void Command(string command) => streams.Out.WriteLine("    " + streams.Commands(ShownText.Escape(command)));

    /// <summary>Text below a heading, indented, broken at blanks where the terminal is narrow.</summary>
    public void Paragraph(string text, int indent)
    {
        foreach (var line in Wrapping.Break(Shown(text), streams.Width() - indent))
            streams.Out.WriteLine(new string(' ', indent) + line);
    }

    /// <summary>Writes a remark for a person: below a table, in other formats to standard error.</summary>
    public void Note(string text)
    {
        if (IsTable)
            Line(text);
        else
            streams.Error.WriteLine(Shown(text));
    }

    /// <summary>Writes a warning to standard error; the command goes on.</summary>
    public void Warning(string text) => streams.Error.WriteLine("policyctl: warning: " + Shown(text));

    /// <summary>Columns aligned, the last one left ragged so that no line has trailing blanks; blocks where the columns do not fit.</summary>
    /// <param name="table">The table.</param>
    /// <param name="below">What stands below a row, by its number, such as a command; it is not broken. Null for a row with nothing below.</param>
    public void Aligned(Table table, Func<int, string?>? below = null)
    {
        var rows = table.Rows.Select(row => row.Select(cell => cell with { Text = Shown(cell.Text) }).ToArray()).ToList();
        if (TableLayout.Of(table, rows, streams.Width()) is not { } layout)
        {
            Blocks(table, rows, below);
            return;
        }

        var number = 0;

        Cell[] heading = [.. table.Columns.Select(name => new Cell(Table.Heading(name).ToUpperInvariant(), Tone.Heading))];
        foreach (var row in rows.Prepend(heading))
        {
            foreach (var line in layout.Lines(row))
            {
                foreach (var (cell, blanks) in line)
                {
                    streams.Out.Write(Paint(cell.Text, cell.Tone));
                    streams.Out.Write(new string(' ', blanks));
                }

                streams.Out.WriteLine();
            }

            if (ReferenceEquals(row, heading))
                continue;
            foreach (var line in layout.Below(table, row))
                streams.Out.WriteLine(line);
            if (below?.Invoke(number++) is { } under)
                streams.Out.WriteLine(Paint(Shown(under), Tone.Faint));
        }
    }

    private void Blocks(Table table, List<Cell[]> rows, Func<int, string?>? below)
    {
        var labels = table.Columns.Skip(1).Max(name => name.Length);
        for (var i = 0; i < rows.Count; i++)
        {
            if (i > 0)
                streams.Out.WriteLine();
            streams.Out.WriteLine(Paint(rows[i][0].Text, Tone.Heading));
            Block([.. rows[i].Skip(1).Select((cell, column) => (Table.Heading(table.Columns[column + 1]), cell)).Where(fact => fact.cell.Text.Length > 0)], labels);
            if (below?.Invoke(i) is { } under)
                streams.Out.WriteLine(Paint(Shown(under), Tone.Faint));
        }
    }

    /// <summary>Made safe to show, with its commands as they are to be pasted and its times in the zone of the person who reads it.</summary>
    private string Shown(string text)
    {
        var shown = streams.Commands(ShownText.Escape(text));
        return LocalZone is { } zone ? Times.InZone(shown, zone) : shown;
    }

    private string Paint(string text, Tone tone) =>
        !colour || text.Length == 0 || tone == Tone.Plain ? text : Code(tone) + text + Reset;

    private static string Code(Tone tone) => tone switch
    {
        Tone.Heading => "\x1b[1m",
        Tone.Good => "\x1b[32m",
        Tone.Caution => "\x1b[33m",
        Tone.Bad => "\x1b[31m",
        _ => "\x1b[2m",
    };
}

/// <summary>The output streams of a command, and whether they are terminals.</summary>
internal record Streams
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True where standard output is a terminal: aligned tables and colour instead of tabs.</summary>
    public required bool OutIsTerminal { get; init; }

    /// <summary>True where standard error is a terminal: progress bars.</summary>
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>A text with its commands as they are to be pasted by this caller, see <see cref="Hosting.GivenOptions"/>.</summary>
    public Func<string, string> Commands { get; init; } = text => text;

    /// <summary>Columns of the terminal that standard output is; 0 where it is none, and nothing is wrapped.</summary>
    public Func<int> Width { get; init; } = () => 0;

    /// <summary>Lines of the terminal that standard output is; 0 where it is none.</summary>
    public Func<int> Height { get; init; } = () => 0;

    /// <summary>Columns of the terminal that standard error is; 0 where it is none, and nothing is wrapped.</summary>
    public Func<int> ErrorWidth { get; init; } = () => 0;

    /// <summary>Standard error as the device that it is, for what moves the cursor; null where that is <see cref="Error"/>.</summary>
    public TextWriter? ErrorDevice { get; init; }
}
