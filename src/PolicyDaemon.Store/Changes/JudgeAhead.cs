using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Changes;

/// <summary>Judges keys of a <see cref="StoreChange"/> ahead of the thread that writes them, on a connection of its own.</summary>
/// <remarks>It sees the store as it was before the change: the change holds the one write lock, so nobody else has committed since, and what it
/// has written itself no other connection sees. What it judges <see cref="StoreChange.Write"/> compares with the entry once more. For one
/// thread; disposed of before the change commits, so that the engine can clear its log.</remarks>
public sealed class JudgeAhead : IDisposable
{
    private readonly StoreSession session;
    private readonly DestinationChanges changes;

    /// <param name="session">Opened after the change began.</param>
    internal JudgeAhead(StoreSession session, string storeId, ChangeOrigin origin, PostfixSettings postfix, DateTimeOffset time, OnRecord? onRecord)
    {
        this.session = session;
        session.Guard(session.BeginRead);
        changes = session.Guard(() => new DestinationChanges(session, storeId, origin, postfix, time, onRecord));
    }

    /// <inheritdoc cref="StoreChange.Find"/>
    public Destination? Find(NextHop key) => session.Guard(() => changes.Find(key)?.Get(session.Path));

    /// <inheritdoc cref="StoreChange.OtherForms"/>
    public IReadOnlyList<Destination> OtherForms(NextHop key) =>
        session.Guard(() => changes.OtherForms(key).Select(other => other.Get(session.Path)).ToList());

    /// <inheritdoc cref="StoreChange.Expect"/>
    public void Expect(IReadOnlyCollection<NextHop> keys) => session.Guard(() => changes.Expect(keys));

    /// <inheritdoc cref="StoreChange.Judge"/>
    public JudgedChange Judge(NextHop key, Destination? after, bool acceptsUnsigned = false) =>
        session.Guard(() => changes.Judge(key, after, acceptsUnsigned));

    public void Dispose()
    {
        session.Rollback();
        session.Dispose();
    }
}
