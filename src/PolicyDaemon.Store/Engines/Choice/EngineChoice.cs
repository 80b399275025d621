using PolicyDaemon.Store.Engines.Sqlite;

namespace PolicyDaemon.Store.Engines.Choice;

/// <summary>Decides which engine keeps a store: the one place that names an engine, whoever opens the store and for whatever purpose.</summary>
/// <remarks>A test holds all other code to it. The folder is the choice's own, since engines know <see cref="StoreEngine"/> and it knows none.</remarks>
internal static class EngineChoice
{
    /// <param name="database">The store, as the configuration or a command names it; it need not be there yet.</param>
    internal static StoreEngine For(string database) => new SqliteEngine(database);
}
