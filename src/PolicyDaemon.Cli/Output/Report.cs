using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Output;

/// <summary>How standard output is written.</summary>
internal enum OutputFormat
{
    /// <summary>Aligned columns with a heading, colour on a terminal: for people.</summary>
    Table,

    /// <summary>One row a line, tabs between columns, no heading: for cut and awk. Columns are only ever added at the end.</summary>
    Tsv,

    /// <summary>One JSON value with the schema in <c>Output/Json</c>: members are only ever added.</summary>
    Json,
}

/// <summary>Writes a command's result in the format asked for.</summary>
/// <remarks>Standard output carries the result and nothing else, except in a table, where a person wants one thing below the other.</remarks>
internal sealed class Report(Streams streams, OutputFormat format, bool colour)
{
    private const string Reset = "\x1b[0m";

    public OutputFormat Format { get; } = format;

    /// <summary>Rows separated by tabs begin with the names of their columns.</summary>
    public bool HasHeader { get; init; }

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
                Header(table.Columns);
                foreach (var row in table.Rows)
                    streams.Out.WriteLine(string.Join('\t', row.Select(cell => ShownText.Escape(cell.Text))));
                break;
            default:
                if (table.Rows.Count > 0)
                    Aligned(table);
                else if (whenEmpty is not null)
                    Line(whenEmpty);
                break;
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
    /// <param name="labels">Columns for the names.</param>
    /// <param name="indent">Columns before them.</param>
    public void Block(IReadOnlyList<(string Name, Cell Value)> facts, int labels, int indent = 2)
    {
        foreach (var (name, value) in facts)
        {
            var label = new string(' ', indent) + name.PadRight(labels) + "  ";
            var lines = Wrapping.Break(ShownText.Escape(value.Text), streams.Width() - label.Length);
            for (var i = 0; i < lines.Count; i++)
                streams.Out.WriteLine(i == 0 ? Paint(label, Tone.Faint) + Paint(lines[i], value.Tone) : new string(' ', label.Length) + Paint(lines[i], value.Tone));
        }
    }

    private void Header(IReadOnlyList<string> columns)
    {
        if (HasHeader)
            streams.Out.WriteLine(string.Join('\t', columns));
    }

    public void Json<T>(T value, JsonTypeInfo<T> schema) => streams.Out.WriteLine(JsonSerializer.Serialize(value, schema));

    /// <summary>A line of a table's text.</summary>
    public void Line(string text = "", Tone tone = Tone.Plain) => streams.Out.WriteLine(Paint(ShownText.Escape(text), tone));

    /// <summary>Text below a heading, indented, broken at blanks where the terminal is narrow.</summary>
    public void Paragraph(string text, int indent)
    {
        foreach (var line in Wrapping.Break(ShownText.Escape(text), streams.Width() - indent))
            streams.Out.WriteLine(new string(' ', indent) + line);
    }

    /// <summary>Something for the person at the keyboard: below a table, otherwise beside the result on standard error.</summary>
    public void Note(string text)
    {
        if (IsTable)
            Line(text);
        else
            streams.Error.WriteLine(ShownText.Escape(text));
    }

    /// <summary>Something that deserves a thought; the command goes on.</summary>
    public void Warning(string text) => streams.Error.WriteLine("policyctl: warning: " + ShownText.Escape(text));

    /// <summary>Columns aligned, the last one left ragged so that no line has trailing blanks.</summary>
    public void Aligned(Table table)
    {
        var widths = new int[table.Columns.Count];
        var rows = table.Rows.Select(row => row.Select(cell => cell with { Text = ShownText.Escape(cell.Text) }).ToArray()).ToList();
        for (var column = 0; column < widths.Length; column++)
            widths[column] = Math.Max(table.Columns[column].Length, rows.Count == 0 ? 0 : rows.Max(row => row[column].Text.Length));
        WriteRow([.. table.Columns.Select(name => new Cell(name.ToUpperInvariant(), Tone.Heading))], widths);
        foreach (var row in rows)
            WriteRow(row, widths);
    }

    private void WriteRow(Cell[] row, int[] widths)
    {
        var last = Array.FindLastIndex(row, cell => cell.Text.Length > 0);
        for (var column = 0; column <= last; column++)
        {
            var cell = row[column];
            streams.Out.Write(Paint(cell.Text, cell.Tone));
            if (column < last)
                streams.Out.Write(new string(' ', widths[column] - cell.Text.Length + 2));
        }

        streams.Out.WriteLine();
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

/// <summary>Where a command writes, and who reads it.</summary>
internal record Streams
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True where a person reads standard output: aligned tables and colour instead of tabs.</summary>
    public required bool OutIsTerminal { get; init; }

    /// <summary>True where a person reads standard error: progress bars.</summary>
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal that standard output is; 0 where it is none, and nothing is wrapped.</summary>
    public Func<int> Width { get; init; } = () => 0;
}
