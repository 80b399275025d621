using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Administration;

/// <summary>Whether the daemon of this machine answers from the store that a command is about. What lies beside the daemon stands in its configuration, whatever <c>--database</c> names.</summary>
/// <remarks>
/// <code>
/// no --database, or the configured store      it does
/// both files                                  it does where the path is the same
/// both on servers                             it does where host, port and database are the same, or where the store is the one that it loaded last: a
///                                             store has other words for each user, and many for one server
/// a file and a server                         it does not: a store that was moved has the same identity at both
/// </code>
/// </remarks>
public static class LocalDaemon
{
    /// <summary>That the daemon of this machine has nothing to do with the store.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="storeId">The identity of the store; null where it could not be asked.</param>
    /// <returns>A sentence without an end; null where it answers from the store, would if it ran, or where nothing is known of another daemon.</returns>
    public static string? Elsewhere(Settings settings, string? storeId)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.OfMachine is not { } machine || IsSame(settings, machine, storeId))
            return null;
        // One with another configuration, which says no more than this store.
        if (settings.StatusFile != machine.StatusFile && DaemonLock.IsHeld(settings.StatusFile) == true)
            return null;
        if (DaemonLock.IsHeld(machine.StatusFile) == true)
            return $"policyd on this machine answers from another store, {machine.Database}";
        return settings.IsOnServer ? "no policyd on this machine answers from this store" : null;
    }

    /// <inheritdoc cref="Elsewhere(Settings, string)"/>
    /// <param name="time">The clock.</param>
    public static string? Elsewhere(Settings settings, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        // Whose identity is asked only where it decides.
        var elsewhere = Elsewhere(settings, storeId: null);
        if (elsewhere is null || !settings.IsOnServer || settings.OfMachine is not { IsOnServer: true })
            return elsewhere;
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
            return Elsewhere(settings, store.StoreId);
        }
        catch (StoreException)
        {
            return elsewhere;
        }
    }

    private static bool IsSame(Settings settings, Settings machine, string? storeId) =>
        settings.Database == machine.Database
        || (settings.IsOnServer && machine.IsOnServer
            && (PostgreSqlWords.NameSamePlace(settings.Database, machine.Database) || (storeId is not null && LoadedLast(machine) == storeId)));

    private static string? LoadedLast(Settings machine) =>
        DaemonStatusFile.TryRead(machine.StatusFile)?.Snapshot?.StoreId ?? SnapshotFile.TryReadStoreId(machine.Snapshot);
}
