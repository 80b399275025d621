namespace PolicyDaemon.Cli.Output;

/// <summary>One field of a row.</summary>
/// <param name="Text">The text, unescaped.</param>
/// <param name="Tone">The meaning that a terminal shows as a colour.</param>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>The meaning of a field, shown as a colour on a terminal; the text says the same.</summary>
internal enum Tone
{
    Plain,
    Heading,
    Good,
    Caution,
    Bad,
    Faint,
}

/// <summary>Rows under named columns. Names are words joined by an underscore, which a heading shows as a blank: a script names them as they are.</summary>
internal sealed class Table(params string[] columns)
{
    private readonly List<Cell[]> rows = [];

    public IReadOnlyList<string> Columns { get; } = Array.Exists(columns, name => name.Contains(' ', StringComparison.Ordinal))
        ? throw new ArgumentException($"a column's name has a blank: {string.Join(", ", columns)}", nameof(columns))
        : columns;

    /// <summary>The name of a column as people read it.</summary>
    internal static string Heading(string column) => column.Replace('_', ' ');

    /// <summary>The last column is a remark: where it is too long for the screen it is cut instead of broken.</summary>
    public bool CutsLast { get; init; }

    /// <summary>With less room than this, in characters, a last column that would be cut or broken stands below its row, as long as it is; 0: it never does.</summary>
    public int LastBelowUnder { get; init; }

    /// <summary>Columns that a narrow screen goes without, the first one first.</summary>
    public IReadOnlyList<string> Spare { get; init; } = [];

    public IReadOnlyList<Cell[]> Rows => rows;

    public void Add(params Cell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, Columns.Count);
        rows.Add(cells);
    }
}
