namespace PolicyDaemon.Benchmarks.Reports;

/// <summary>A table with a heading, what it means, and what is aimed at.</summary>
internal sealed class ReportPart(string title, string explanation, params IReadOnlyList<string> columns)
{
    private readonly List<IReadOnlyList<string>> rows = [];

    /// <summary>A part that follows in the same section.</summary>
    internal List<ReportPart> More { get; } = [];

    internal void Row(params IReadOnlyList<string> cells) => rows.Add(cells);

    internal IEnumerable<string> Lines()
    {
        yield return $"## {title}";
        yield return "";
        yield return explanation;
        yield return "";
        yield return $"| {string.Join(" | ", columns)} |";
        yield return $"|{string.Concat(columns.Select((_, index) => index == 0 ? "---|" : "---:|"))}";
        foreach (var row in rows)
            yield return $"| {string.Join(" | ", row)} |";
        yield return "";
        foreach (var line in More.SelectMany(part => part.Lines()))
            yield return line;
    }
}
