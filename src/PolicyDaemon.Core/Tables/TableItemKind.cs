namespace PolicyDaemon.Core.Tables;

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
