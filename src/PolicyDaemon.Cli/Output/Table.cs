namespace PolicyDaemon.Cli.Output;

/// <summary>One field of a row.</summary>
/// <param name="Text">What it says, unescaped.</param>
/// <param name="Tone">Its colour on a terminal.</param>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>What a colour says; the words say it too.</summary>
internal enum Tone
{
    Plain,
    Heading,
    Good,
    Caution,
    Bad,
    Faint,
}

/// <summary>Rows under named columns.</summary>
internal sealed class Table(params string[] columns)
{
    private readonly List<Cell[]> rows = [];

    public IReadOnlyList<string> Columns { get; } = columns;

    /// <summary>The last column is a remark: where it is too long for the screen it is cut instead of broken.</summary>
    public bool CutsLast { get; init; }

    public IReadOnlyList<Cell[]> Rows => rows;

    public void Add(params Cell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, Columns.Count);
        rows.Add(cells);
    }
}
