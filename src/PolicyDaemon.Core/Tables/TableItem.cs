using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>One thing a table says, or one thing to say about it.</summary>
/// <param name="Line">The physical line, from 1, at which the row or the faulty part begins.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Destination">The row's destination; null but for <see cref="TableItemKind.Row"/>.</param>
/// <param name="Message">What is wrong and what to do next; empty for a row.</param>
public readonly record struct TableItem(int Line, TableItemKind Kind, Destination? Destination, string Message)
{
    public static TableItem Row(int line, Destination destination) => new(line, TableItemKind.Row, destination, "");

    public static TableItem Problem(int line, string message) => new(line, TableItemKind.Problem, null, message);

    /// <summary>The last item of a source that is no text: whatever was said of lines before means nothing.</summary>
    public static TableItem NoText(int line, string message) => new(line, TableItemKind.NoText, null, message);

    public static TableItem Warning(int line, string message) => new(line, TableItemKind.Warning, null, message);
}
