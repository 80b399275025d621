using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;

namespace PolicyDaemon.Store;

/// <summary>What can be told of a store, and done where it lies, without opening it.</summary>
/// <remarks>Whoever needs it asks here and not the file system: how many files a store has, and whether it has any, is the engine's affair.</remarks>
public static class StorePlace
{
    /// <summary>True where something is there already, so that <see cref="PolicyStore.Create"/> would refuse.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    public static bool Exists(string database) => EngineChoice.For(database).Exists();

    /// <summary>The files on this machine that the store consists of now; none where it is kept elsewhere.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    public static IReadOnlyList<string> Files(string database) => EngineChoice.For(database).Files();

    /// <summary>A value that is another one after anybody committed; null where that takes a connection, so that one has to look.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    public static StoreStamp? Stamp(string database) => EngineChoice.For(database).Stamp();

    /// <summary>What the administrator of a server is handed for psql(1), so that a store can be made there: roles, tables and rights.</summary>
    public static string ServerSchema() => EngineChoice.ServerSchema;

    /// <summary>Brings a store of an older version up to date.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    /// <param name="dryRun">Says what would be done, and changes nothing.</param>
    /// <exception cref="Faults.StoreException">It cannot be brought up to date now; the message says what to do next.</exception>
    public static SchemaChange Upgrade(string database, bool dryRun) => EngineChoice.For(database).Upgrade(dryRun);

    /// <summary>True where the tables of a store are there, made by the administrator of a server, and no store in them yet.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    public static bool IsPrepared(string database) => EngineChoice.For(database).IsPrepared();

    /// <summary>Removes the temporary files of programs that were killed while they made a store or a copy there.</summary>
    /// <param name="database">The store, as the configuration names it.</param>
    public static void SweepDrafts(string database) => EngineChoice.For(database).SweepDrafts();
}
