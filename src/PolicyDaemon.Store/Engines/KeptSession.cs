using System.Data.Common;

namespace PolicyDaemon.Store.Engines;

/// <summary>Keeps a session that writes: opens one when it is needed, and another one after another store took the place of the first. For one
/// thread at a time.</summary>
internal sealed class KeptSession(StoreEngine engine, TimeSpan? patience)
{
    /// <summary>The open session; null where none is.</summary>
    internal StoreSession? Current { get; private set; }

    /// <returns>False where the session is the one of the last call.</returns>
    internal bool Renew()
    {
        if (Current is { IsReplaced: false })
            return false;
        Close();
        Current = engine.Open(StoreAccess.Write, patience);
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
