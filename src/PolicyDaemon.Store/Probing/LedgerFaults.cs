using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Store.Probing;

/// <summary>Says what an error means for the prober.</summary>
internal static class LedgerFaults
{
    internal static Exception From(Exception error, string path) => error switch
    {
        LedgerUnavailableException known => known,
        SqliteException sqlite => new LedgerUnavailableException(StoreFaults.From(sqlite, path).Message, sqlite),
        StoreException store => new LedgerUnavailableException(store.Message, store),
        IOException or UnauthorizedAccessException => new LedgerUnavailableException(StoreFaults.From(error, path).Message, error),
        FormatException or JsonException => new LedgerUnavailableException(
            $"{path}: what is remembered cannot be read: {error.Message}; restore a backup", error),
        _ => error,
    };
}
