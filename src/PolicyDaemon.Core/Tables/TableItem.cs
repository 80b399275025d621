using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>A row of a table, or something to say about the table.</summary>
/// <param name="Line">The physical line, from 1, at which the row or the faulty part begins; 0 where the table as a whole is meant.</param>
/// <param name="Kind">The kind of the item.</param>
/// <param name="Destination">The row's destination; null but for <see cref="TableItemKind.Row"/>.</param>
/// <param name="Problem">What is wrong or doubtful; null for a row.</param>
public readonly record struct TableItem(int Line, TableItemKind Kind, Destination? Destination, Problem? Problem)
{
    /// <summary>True for a row that is refused for nothing but pins that Postfix cannot compare; see <see cref="UnservableRows"/>.</summary>
    public bool IsUnservable { get; init; }

    public static TableItem Row(int line, Destination destination) => new(line, TableItemKind.Row, destination, null);

    public static TableItem Refused(int line, Problem problem) => new(line, TableItemKind.Problem, null, problem);

    /// <summary>The last item of a source that is no text: whatever was said of lines before means nothing.</summary>
    public static TableItem NoText(int line, Problem problem) => new(line, TableItemKind.NoText, null, problem);

    public static TableItem Warning(int line, Problem problem) => new(line, TableItemKind.Warning, null, problem);
}

public enum TableItemKind
{
    /// <summary>A destination that can be imported, if there is no problem elsewhere.</summary>
    Row,

    /// <summary>A line that cannot be imported: then nothing is.</summary>
    Problem,

    /// <summary>Something to think about.</summary>
    Warning,

    /// <summary>The source is no text, such as the database that postmap makes: reading ended here, and nothing can be imported.</summary>
    NoText,
}
