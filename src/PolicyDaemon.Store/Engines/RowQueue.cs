namespace PolicyDaemon.Store.Engines;

/// <summary>Rows that are to be inserted, which an engine writes many at a time: at the latest before the next statement of the session, so that whatever
/// is asked sees them. An error shows there, too.</summary>
internal abstract class RowQueue
{
    /// <summary>A number for the column <c>id</c> of a row that is to be inserted, so that others can refer to it.</summary>
    internal abstract long NextId(string table);

    /// <summary>Inserts a row, by and by.</summary>
    /// <param name="table">The table.</param>
    /// <param name="columns">Its columns; the same list for each row of a table.</param>
    /// <param name="values">The values, each a number, a text or null.</param>
    internal abstract void Add(string table, IReadOnlyList<string> columns, object?[] values);
}
