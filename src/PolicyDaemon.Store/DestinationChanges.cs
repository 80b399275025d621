using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store;

/// <summary>Writes destinations together with their audit rows, inside the caller's transaction.</summary>
/// <remarks>Pins of an MX group change through any member, and then leave a row for every member: who follows the log, as the
/// daemon does, learns of all the answers that changed.</remarks>
internal sealed class DestinationChanges(SqliteConnection connection, string path, string storeId, ChangeOrigin origin, DateTimeOffset time)
    : IDisposable
{
    private readonly DestinationWriter writer = new(connection);

    internal DestinationTable Destinations { get; } = new(connection);

    internal AuditWriter Audit { get; } = new(connection, storeId, origin, time);

    /// <param name="answers">What Postfix is told of a destination, for the other members of an MX group.</param>
    /// <returns>False where nothing differed.</returns>
    internal bool Put(Destination after, string? answerBefore, string? answerAfter, string? evidence, Func<Destination, string?>? answers)
    {
        // The first question is cheap, and in an import the only one.
        var known = writer.Exists(after.Key.Text) ? Destinations.Find(after.Key.Text) : null;
        if (known is null)
        {
            writer.Insert(after);
            Audit.Append(AuditAction.Add, after.Key.Text, null, Stored(after), answerBefore, answerAfter, evidence);
            return true;
        }

        var before = known.Value.Get(path);
        var jsonBefore = DestinationMapping.ToJson(before);
        if (jsonBefore == DestinationMapping.ToJson(after))
            return false;
        var isShared = after.MxGroup is not null && after.MxGroup == before.MxGroup && !after.Pins.AsSpan().SequenceEqual(before.Pins.AsSpan());
        var others = isShared ? Destinations.OfGroup(after.MxGroup!).Where(member => member.Key != after.Key.Text).ToList() : [];
        writer.Update(known.Value.Id, before, after);
        if (isShared)
            writer.WriteGroupPins(after.MxGroup!, before.Pins, after.Pins);
        Audit.Append(AuditAction.Change, after.Key.Text, jsonBefore, Stored(after), answerBefore, answerAfter, evidence);
        foreach (var member in others)
        {
            // A member that cannot be read is answered as a temporary error; its row makes the daemon look at it again.
            var after1 = member.Value is { } value ? value with { Pins = after.Pins } : null;
            Audit.Append(
                AuditAction.Change, member.Key, member.Value is null ? null : DestinationMapping.ToJson(member.Value),
                after1 is null ? null : DestinationMapping.ToJson(after1), member.Value is null ? null : answers?.Invoke(member.Value),
                after1 is null ? null : answers?.Invoke(after1), evidence);
        }

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

    /// <summary>As it stands in the store now: a member of an MX group has the group's pins, whatever was asked for.</summary>
    private string Stored(Destination asked) => DestinationMapping.ToJson(
        asked.MxGroup is null ? asked : Destinations.Find(asked.Key.Text)!.Value.Get(path));
}
