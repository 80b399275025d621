using System.Data.Common;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Engines.Sqlite;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.Choice;

/// <summary>Decides which engine keeps a store, or reads what another program keeps: the one place that names an engine, whoever opens it and for
/// whatever purpose.</summary>
/// <remarks>A test holds all other code to it. The folder is the choice's own, since engines know <see cref="StoreEngine"/> and it knows none.</remarks>
internal static class EngineChoice
{
    /// <param name="database">The store, as the configuration or a command names it; it need not be there yet.</param>
    internal static StoreEngine For(string database) => PostgreSqlWords.IsNamedBy(database) ? new PostgreSqlEngine(database) : new SqliteEngine(database);

    /// <summary>What a server needs before a store can be made there, for psql(1).</summary>
    internal static string ServerSchema => PostgreSqlScript.Text();

    /// <summary>True where a file is a database that <see cref="OpenForeign"/> can read, by its first octets.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static bool IsForeign(string file) => SqliteFile.IsDatabase(file);

    /// <summary>Opens another program's database for reading; nothing in it is changed, and no schema is expected.</summary>
    /// <param name="file">The database file.</param>
    /// <param name="patience">How long a writer is waited for.</param>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    internal static DbConnection OpenForeign(string file, TimeSpan patience) => SqliteSession.Connect(file, StoreAccess.Read, patience, immutable: false);
}
