using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines;

/// <summary>What keeps a store: makes it, opens sessions over it and watches it.</summary>
/// <remarks>
/// Everything outside an engine's own folder speaks to it through this type, <see cref="StoreWatch"/> and <see cref="StoreSession"/>. The
/// session names the faults, checks and copies, since each of these is done over a connection. Which engine keeps a store is decided once,
/// in <c>Store/Engines/Choice</c>.
/// </remarks>
internal abstract class StoreEngine(string path)
{
    /// <summary>Where the store is, as messages name it.</summary>
    internal string Path { get; } = path;

    /// <summary>Makes a new store with the newest schema. Refuses where something is already.</summary>
    /// <param name="now">The present.</param>
    /// <param name="fill">Writes what belongs into a new store, inside a transaction that it commits.</param>
    internal abstract void Create(DateTimeOffset now, Action<StoreSession> fill);

    /// <summary>Refuses where <see cref="Create"/> would: something is there already, or this user can make nothing there. Changes nothing.</summary>
    /// <param name="tables">Those that are to be filled.</param>
    /// <param name="replaced">Those of them in which a new store has rows of its own, which are replaced.</param>
    /// <exception cref="StoreException">It cannot be made; the message says what to do next.</exception>
    internal abstract void CheckCreate(IReadOnlyList<string> tables, IReadOnlyList<string> replaced);

    /// <summary>Opens an existing store. In a file, one of an older version is brought up to date for writing; on a server only <see cref="Upgrade"/> does that.</summary>
    /// <param name="access">The purpose.</param>
    /// <param name="patience">How long another writer is waited for; null for as long as the engine usually waits.</param>
    /// <param name="evenMoved">For writing, too, where it was moved: to mark it, and to take the mark off.</param>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal abstract StoreSession Open(StoreAccess access, TimeSpan? patience = null, bool evenMoved = false);

    /// <summary>Brings a store of an older version up to date, where nothing else does.</summary>
    /// <param name="dryRun">Says what would be done, and changes nothing.</param>
    /// <param name="patience">How long others are waited for; null for as long as the engine usually waits.</param>
    /// <exception cref="StoreException">It cannot be brought up to date now; the message says what to do next.</exception>
    internal abstract SchemaChange Upgrade(bool dryRun, TimeSpan? patience = null);

    /// <summary>Opens a store to follow its changes. An older one in a file is brought up to date.</summary>
    /// <param name="patience">How long another writer is waited for.</param>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal abstract StoreWatch Watch(TimeSpan patience);

    /// <summary>True where several machines can share the store, see <see cref="OpenFleet"/>: whoever reads everything does so in turn, and a failover may lose what was followed.</summary>
    internal virtual bool IsShared => false;

    /// <summary>Opens what the daemons over one store keep in it of one another; null where the engine has no room for more than one.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal virtual FleetTables? OpenFleet(StoreAccess access) => null;

    /// <summary>Which file the store is now, and in which state, without opening it; null where there is none, or the engine keeps none.</summary>
    internal abstract FileSignature? Signature();

    /// <summary>True where something lies in the store's place, so that <see cref="Create"/> would refuse: a store, or what is none.</summary>
    internal abstract bool Exists();

    /// <summary>True where <see cref="Create"/> would find the tables made already, by whoever may make some.</summary>
    internal virtual bool IsPrepared() => false;

    /// <summary>The files on this machine that the store consists of now; none where the engine keeps none.</summary>
    internal virtual IReadOnlyList<string> Files() => [];

    /// <summary>The stamp of the store as it is now; null where the engine cannot tell without opening it, so that whoever follows the store has to ask.</summary>
    internal abstract StoreStamp? Stamp();

    /// <summary>How often the store is to be asked whether it changed; null where asking costs nothing, so that whoever follows it decides. With a time
    /// an answer may also take long, or never come: it is asked on a thread that nothing else waits for.</summary>
    internal virtual TimeSpan? PollInterval => null;

    /// <summary>Begins to hear of changes as they are committed; null where asking costs nothing. What it misses is found by asking.</summary>
    internal virtual StoreNews? Listen() => null;

    /// <summary>Opens a session to read everything, where that burdens the store least.</summary>
    internal virtual StoreSession OpenToReadAll(TimeSpan patience) => Open(StoreAccess.Read, patience);

    /// <summary>Removes the temporary files of programs that were killed while they made a store or a copy here.</summary>
    internal abstract void SweepDrafts();
}

/// <summary>Wakes whoever follows a store, as soon as somebody changed it.</summary>
internal abstract class StoreNews : IDisposable
{
    private readonly AutoResetEvent came = new(false);

    /// <summary>Set with each change, once for several.</summary>
    internal WaitHandle Came => came;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected void Come() => came.Set();

    protected virtual void Dispose(bool disposing) => came.Dispose();
}

/// <summary>Which store lies in a place and how far it was written, told without opening it: after a commit the stamp is another one.</summary>
public abstract record StoreStamp;

/// <summary>Which version the tables of a store had, and which they have.</summary>
public sealed record SchemaChange(long From, long To);

/// <summary>What became of a store since it was polled last.</summary>
internal enum StoreMovement
{
    /// <summary>Nobody committed anything.</summary>
    None,

    /// <summary>Somebody committed, or nothing was read yet.</summary>
    Committed,

    /// <summary>Something wrote to the store that was no commit: what is open may no longer be what others see. A new watch will tell.</summary>
    Disturbed,

    /// <summary>Another store took its place, or none is there any more.</summary>
    Replaced,
}

/// <summary>A session over a store together with what tells that others changed it. It never writes. For one thread at a time.</summary>
internal abstract class StoreWatch(StoreSession session) : IDisposable
{
    /// <summary>The session in which the changes are read.</summary>
    internal StoreSession Session { get; } = session;

    /// <summary>What became of the store since the last call; after all but <see cref="StoreMovement.None"/> it is to be read, or closed.</summary>
    internal abstract StoreMovement Poll();

    /// <summary>Notes that everything was read that the last <see cref="Poll"/> reported.</summary>
    internal abstract void WasRead();

    /// <summary>Closes after another store took the place of this one; pending writes go to the old store where that can still take them, and never to the new one.</summary>
    internal abstract void Supersede();

    /// <summary>Closes without writing another octet: pending writes are dropped, since what lies in the store's place may no longer be what was opened.</summary>
    internal abstract void Abandon();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Session.Dispose();
}
