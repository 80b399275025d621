using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Store.Faults;

// Every call of Dapper in this library is generated at build time; a test finds the one that is not.
[module: DapperAot]

namespace PolicyDaemon.Store.Engines;

/// <summary>The purpose for which a store is opened.</summary>
public enum StoreAccess
{
    /// <summary>For reading only; works while the daemon is down.</summary>
    Read,

    /// <summary>For changes; a store of an older version is brought up to date.</summary>
    Write,
}

/// <summary>One connection to a store, whichever engine keeps it: for one thread at a time.</summary>
/// <remarks>
/// Everything above this folder speaks the one SQL of both engines over <see cref="Connection"/>, with parameters by name, and
/// leaves to the session what the engines do differently: how a transaction begins, what an error means.
/// </remarks>
internal abstract class StoreSession(string path, DbConnection connection) : IDisposable
{
    /// <summary>Where the store is, as messages name it.</summary>
    internal string Path { get; } = path;

    internal DbConnection Connection { get; } = connection;

    /// <summary>A random identity, made with the store; a copy has the same.</summary>
    internal abstract string StoreId { get; }

    /// <returns>Null where somebody took it away.</returns>
    internal string? FindStoreId() => Connection.QueryFirstOrDefault<string>("SELECT store_id FROM store WHERE id = 1");

    /// <summary>Where the store went, or of what it is a copy that is not finished, as it says itself; null where it is the one that is used.</summary>
    internal StoreException? FindMoved() =>
        Connection.QueryFirstOrDefault<MovedRow>("SELECT moved_to, moved_at FROM store WHERE id = 1 AND moved_to IS NOT NULL") is { } moved
            ? StoreException.Moved(Path, moved.MovedTo, moved.MovedAt)
            : null;

    /// <summary>Why nobody can write the store now, so that it is read as it lies; null where somebody can.</summary>
    internal abstract StoreException? OnlyRead { get; }

    /// <summary>True where another store took the place of the one that the session was opened on, or none is there any more.</summary>
    internal abstract bool IsReplaced { get; }

    /// <summary>What its user may write beside the findings, so that a program leaves alone what is another one's to do.</summary>
    internal virtual StoreRights Rights => StoreRights.All;

    /// <summary>Begins a transaction that only reads: what it reads is of one moment, whoever writes meanwhile.</summary>
    internal abstract void BeginRead();

    /// <summary>Begins a transaction that writes: takes the store's one write lock, waiting for another writer for a while.</summary>
    /// <exception cref="StoreException">The store was moved, or is open for reading only.</exception>
    internal abstract void BeginWrite();

    /// <summary>Refuses where this user may not mark the store as moved, or take the mark off. Changes nothing.</summary>
    /// <exception cref="StoreException">Kind <see cref="StoreFault.Permission"/>, or why nobody may.</exception>
    internal abstract void CheckMark();

    /// <summary>Begins a transaction that reads everything as it is of one moment and keeps others from writing meanwhile.</summary>
    internal virtual void BeginMove() => BeginWrite();

    /// <summary>Whether a take of the lease still holds, and holds until the transaction ends: who takes the lease waits for that.</summary>
    /// <remarks>A store in a file has one daemon, and no lease.</remarks>
    internal virtual bool HoldsLease(LeaseToken token) => true;

    /// <summary>Tells those who listen (<see cref="StoreEngine.Listen"/>) of the change, once it is committed.</summary>
    internal virtual void Announce()
    {
    }

    /// <summary>Makes what was written durable.</summary>
    internal void Commit() => Connection.Execute("COMMIT");

    /// <summary>Takes back what was written. Never fails: an engine that gave up on the transaction has taken it back by itself.</summary>
    internal void Rollback()
    {
        try
        {
            Connection.Execute("ROLLBACK");
        }
        catch (DbException)
        {
            // After a full disk or an I/O error SQLite has rolled back already, and says that nothing is there to roll back; a connection to
            // a server that broke has no transaction any more.
        }
    }

    /// <summary>Does one piece of work inside a transaction: all of it or, where it throws, nothing of it.</summary>
    internal void Isolate(Action work)
    {
        Connection.Execute("SAVEPOINT item");
        try
        {
            work();
            Connection.Execute("RELEASE SAVEPOINT item");
        }
        catch
        {
            TakeBack();
            throw;
        }
    }

    /// <summary>Why what was acknowledged may be lost all the same, and what to do; null where it cannot be, or nobody knows.</summary>
    internal virtual string? FailoverRisk() => null;

    /// <summary>Makes room for a transaction that touches the whole store.</summary>
    internal abstract void PrepareForBulk();

    /// <summary>Takes rows that are to be inserted, after <see cref="PrepareForBulk"/>; null where the engine loses nothing by a statement for each.</summary>
    internal virtual RowQueue? Queue => null;

    /// <summary>True where a question costs a way to another machine, so that many are asked at once.</summary>
    internal virtual bool AsksAfar => false;

    /// <summary>Checks every page, index and reference.</summary>
    /// <exception cref="StoreException">Kind <see cref="StoreFault.Damaged"/>: they do not fit together.</exception>
    internal abstract void CheckIntegrity();

    /// <summary>Checks every page, without comparing indexes with their tables: a part of <see cref="CheckIntegrity"/>, in a fifth of its time.</summary>
    /// <exception cref="StoreException">Kind <see cref="StoreFault.Damaged"/>: one cannot be read for what it is.</exception>
    internal abstract void CheckPages();

    /// <summary>Interrupts the statement that the connection runs. May be called from any thread.</summary>
    internal abstract void Interrupt();

    /// <summary>Writes a consistent copy while everything runs. Refuses to overwrite.</summary>
    /// <returns>False where the engine has no file that could be copied as it is; then its rows can be.</returns>
    internal virtual bool TryBackup(string file) => false;

    /// <summary>Writes rows of another store as they are, inside the caller's transaction.</summary>
    /// <param name="table">A table, without rows.</param>
    /// <param name="columns">Its columns, in the order of the values.</param>
    /// <param name="rows">The values, each a number, a text or null; one array may serve for all rows.</param>
    internal abstract void WriteRows(string table, IReadOnlyList<string> columns, IEnumerable<object[]> rows);

    /// <summary>Says what an error of the engine means for the store, and what to do next.</summary>
    internal abstract StoreException FaultOf(DbException error);

    /// <summary>True where an error concerns only the row that was written, so that the transaction can go on.</summary>
    internal abstract bool IsOfRow(DbException error);

    /// <exception cref="StoreException">The work met an error of the engine, or something in the store that cannot be read.</exception>
    internal T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DbException error)
        {
            throw FaultOf(error);
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            throw StoreException.Damaged(Path, error.Message, error);
        }
    }

    internal void Guard(Action work) => Guard(() =>
    {
        work();
        return true;
    });

    /// <summary>Streams the items that the work yields, and translates its errors.</summary>
    internal IEnumerable<T> Guard<T>(IEnumerable<T> rows)
    {
        using var row = Guard(rows.GetEnumerator);
        while (Guard(row.MoveNext))
            yield return row.Current;
    }

    /// <summary>Runs work in a transaction that only reads, so that everything it reads is of one moment.</summary>
    internal virtual T InOneMoment<T>(Func<T> work) => Guard(() =>
    {
        BeginRead();
        try
        {
            return work();
        }
        finally
        {
            Rollback();
        }
    });

    /// <summary>Runs work of seconds as <see cref="InOneMoment"/> does, where not too many do already.</summary>
    /// <returns>False where too many do; nothing was done.</returns>
    internal virtual bool TryInTurn(Action work)
    {
        InOneMoment(() =>
        {
            work();
            return true;
        });
        return true;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Connection.Dispose();

    private void TakeBack()
    {
        try
        {
            Connection.Execute("ROLLBACK TO SAVEPOINT item");
            Connection.Execute("RELEASE SAVEPOINT item");
        }
        catch (DbException)
        {
            // As at Rollback: all of it was taken back already, and what made it so is on its way up.
        }
    }
}

/// <summary>The mark of a store that went elsewhere, and of a copy that is not finished.</summary>
/// <param name="MovedTo">Where it went; of a copy that is not finished, where it comes from.</param>
/// <param name="MovedAt">When it went; null of a copy that is not finished.</param>
internal sealed record MovedRow(string MovedTo, long? MovedAt);

/// <summary>What the user of a session may write.</summary>
/// <param name="Probes">What probes see and find.</param>
/// <param name="Discovered">What discovery remembers.</param>
internal sealed record StoreRights(bool Probes, bool Discovered)
{
    internal static readonly StoreRights All = new(true, true);
}
