using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Answers;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store;

/// <summary>One command's writes: all of them or none. Disposing without <see cref="Commit"/> takes everything back.</summary>
/// <remarks>Holds the store's one write transaction from its beginning, so that what it reads stays true until it commits.</remarks>
[DapperAot]
public sealed class StoreChange : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly string path;
    private readonly DestinationTable destinations;
    private readonly DestinationWriter writer;
    private readonly AuditWriter audit;
    private bool ended;
    private StoreException? failure;

    internal StoreChange(SqliteConnection connection, string path, string storeId, ChangeOrigin origin, DateTimeOffset time)
    {
        this.connection = connection;
        this.path = path;
        destinations = new DestinationTable(connection);
        writer = new DestinationWriter(connection);
        audit = new AuditWriter(connection, storeId, origin, time);
    }

    /// <summary>The change's number, once something was written; 0 before.</summary>
    public long ChangeId => audit.ChangeId;

    /// <summary>The destination as it is within this change.</summary>
    public Destination? Find(NextHop key) => Guard(() => destinations.Find(key.Text)?.Get(path));

    /// <summary>Adds a destination, or replaces the one with its key, and records it. Writes nothing where nothing differs.</summary>
    /// <param name="after">The destination as it shall be.</param>
    /// <param name="answerBefore">What Postfix was told before; null where the key is new.</param>
    /// <param name="answerAfter">What Postfix will be told.</param>
    /// <param name="evidence">What an automatic decision rests on, as JSON.</param>
    /// <returns>False where nothing differed.</returns>
    /// <exception cref="StoreException">The store refused; the change is to be disposed of.</exception>
    public bool Put(Destination after, string? answerBefore, string? answerAfter, string? evidence = null)
    {
        ArgumentNullException.ThrowIfNull(after);
        return Guard(() =>
        {
            // The first question is cheap, and in an import the only one.
            var known = writer.Exists(after.Key.Text) ? destinations.Find(after.Key.Text) : null;
            var json = DestinationMapping.ToJson(after);
            if (known is null)
            {
                writer.Insert(after);
                audit.Append(AuditAction.Add, after.Key.Text, null, json, answerBefore, answerAfter, evidence);
                return true;
            }

            var before = known.Value.Get(path);
            var jsonBefore = DestinationMapping.ToJson(before);
            if (jsonBefore == json)
                return false;
            writer.Update(known.Value.Id, before, after);
            audit.Append(AuditAction.Change, after.Key.Text, jsonBefore, json, answerBefore, answerAfter, evidence);
            return true;
        });
    }

    /// <summary>Removes a destination and its pins, and records it.</summary>
    /// <returns>False where there is none.</returns>
    public bool Remove(NextHop key, string? answerBefore) => Guard(() =>
    {
        if (destinations.Find(key.Text) is not { } known)
            return false;
        // An entry that cannot be read can be removed all the same; its row then has no JSON to come back from.
        writer.Remove(known.Id);
        audit.Append(
            AuditAction.Remove, key.Text, known.Value is null ? null : DestinationMapping.ToJson(known.Value), null, answerBefore, null, null);
        return true;
    });

    /// <summary>What taking a change back would do now. Nothing is written; put and remove its steps to do it.</summary>
    public UndoPlan PlanUndo(long changeId) => Guard(() => UndoPlanner.Plan(connection, destinations, changeId));

    /// <summary>Accepts this store in place of the one that the daemon last loaded, which only such a row makes it do.</summary>
    /// <param name="lastLoaded">The identity in the daemon's last good snapshot.</param>
    public void Accept(SnapshotIdentity lastLoaded)
    {
        ArgumentNullException.ThrowIfNull(lastLoaded);
        Guard(() =>
        {
            audit.Append(
                AuditAction.Accept, null, null, null, null, null,
                JsonSerializer.Serialize(
                    new AcceptedStoreDocument(lastLoaded.StoreId, lastLoaded.Sequence, lastLoaded.Hash), StoreJson.Default.AcceptedStoreDocument));
            return true;
        });
    }

    /// <summary>Makes the change durable: once this returns, neither a crash nor a power cut takes it back.</summary>
    /// <exception cref="StoreException">It was not; the store is as it was before.</exception>
    public ChangeReceipt Commit()
    {
        return Guard(() =>
        {
            connection.Execute("COMMIT");
            ended = true;
            return new ChangeReceipt(audit.ChangeId, audit.Rows, audit.Head);
        });
    }

    public void Dispose()
    {
        destinations.Dispose();
        writer.Dispose();
        audit.Dispose();
        if (ended)
            return;
        ended = true;
        try
        {
            connection.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // After a full disk or an I/O error SQLite has rolled back already, and says that nothing is there to roll back.
        }
    }

    internal void AppendInit() => audit.Append(AuditAction.Init, null, null, null, null, null, null);

    private T Guard<T>(Func<T> work)
    {
        ObjectDisposedException.ThrowIf(ended, this);
        // A full disk makes SQLite roll back at once; whatever was written after it would be a change of its own.
        if (failure is not null)
            throw new StoreException(failure.Kind, failure.Message, failure);
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            failure = StoreFaults.From(error, path);
            throw failure;
        }
    }
}
