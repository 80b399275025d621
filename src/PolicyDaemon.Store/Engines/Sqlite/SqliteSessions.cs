using System.Data.Common;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Opens a session when one is needed, and another one after another file took the store's place. For one thread at a time.</summary>
internal sealed class SqliteSessions(string path, TimeSpan? patience)
{
    private FileSignature? opened;

    /// <summary>The open session; null where none is.</summary>
    internal StoreSession? Current { get; private set; }

    /// <returns>False where the session is the one of the last call.</returns>
    internal bool Renew()
    {
        if (Current is not null && FileSignature.Of(path) is { } now && now.SameFile(opened!))
            return false;
        Close();
        var signature = FileSignature.Of(path);
        Current = SqliteSession.Open(path, StoreAccess.Write, patience);
        opened = signature ?? FileSignature.Of(path);
        return true;
    }

    /// <summary>Closes what is open; a transaction that is under way is taken back.</summary>
    internal void Close()
    {
        var closing = Current;
        Current = null;
        try
        {
            closing?.Dispose();
        }
        catch (DbException)
        {
            // What made it close has been said already; its owner has to go on.
        }
    }
}
