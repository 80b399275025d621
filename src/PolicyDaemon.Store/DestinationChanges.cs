using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store;

/// <summary>Writes destinations together with their audit rows, inside the caller's transaction.</summary>
internal sealed class DestinationChanges(SqliteConnection connection, string path, string storeId, ChangeOrigin origin, DateTimeOffset time)
    : IDisposable
{
    private readonly DestinationWriter writer = new(connection);

    internal DestinationTable Destinations { get; } = new(connection);

    internal AuditWriter Audit { get; } = new(connection, storeId, origin, time);

    /// <returns>False where nothing differed.</returns>
    internal bool Put(Destination after, string? answerBefore, string? answerAfter, string? evidence)
    {
        // The first question is cheap, and in an import the only one.
        var known = writer.Exists(after.Key.Text) ? Destinations.Find(after.Key.Text) : null;
        if (known is null)
        {
            writer.Insert(after);
            Audit.Append(AuditAction.Add, after.Key.Text, null, DestinationMapping.ToJson(after), answerBefore, answerAfter, evidence);
            return true;
        }

        var before = known.Value.Get(path);
        var jsonBefore = DestinationMapping.ToJson(before);
        var jsonAfter = DestinationMapping.ToJson(after);
        if (jsonBefore == jsonAfter)
            return false;
        writer.Update(known.Value.Id, before, after);
        Audit.Append(AuditAction.Change, after.Key.Text, jsonBefore, jsonAfter, answerBefore, answerAfter, evidence);
        return true;
    }

    internal bool Remove(NextHop key, string? answerBefore)
    {
        if (Destinations.Find(key.Text) is not { } known)
            return false;
        // An entry that cannot be read can be removed all the same; its row then has no JSON to come back from.
        writer.Remove(known.Id);
        FindingTable.Forget(connection, key.Text, time);
        Audit.Append(
            AuditAction.Remove, key.Text, known.Value is null ? null : DestinationMapping.ToJson(known.Value), null, answerBefore, null, null);
        return true;
    }

    public void Dispose()
    {
        Destinations.Dispose();
        writer.Dispose();
        Audit.Dispose();
    }
}
