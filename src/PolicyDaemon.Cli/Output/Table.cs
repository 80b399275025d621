namespace PolicyDaemon.Cli.Output;

/// <summary>Rows under named columns.</summary>
internal sealed class Table(params string[] columns)
{
    private readonly List<Cell[]> rows = [];

    public IReadOnlyList<string> Columns { get; } = columns;

    public IReadOnlyList<Cell[]> Rows => rows;

    public void Add(params Cell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, Columns.Count);
        rows.Add(cells);
    }
}
