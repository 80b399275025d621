using Microsoft.Extensions.Logging;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Keeps a snapshot of the store in force: loads it, follows every change, and serves the last good one while the store cannot be used.</summary>
/// <remarks>
/// <para>The last good snapshot also lies on the disk, as a file (<see cref="SnapshotFile"/>) and a journal of the changes since
/// (<see cref="SnapshotJournal"/>). The store is followed by its audit log, in which every change has a row.</para>
/// <para>What a poll finds decides:</para>
/// <code>
/// nothing committed since               nothing to do
/// the log continues from what is loaded its new rows name the keys to read again: the change is live
/// much was committed, or another digest everything is read again
/// the log does not continue             another store lies there: not loaded before a person accepts it (nor a copy in a new place: EarlierSnapshot)
/// missing, locked, damaged, newer...    the last good snapshot stays, however old, and a finding says why
/// </code>
/// <para><see cref="StartAsync"/> before listening, then <see cref="RunAsync"/>. <see cref="Current"/> may be read from any thread.</para>
/// </remarks>
public sealed class SnapshotLoader : ICurrentSnapshot, IDisposable
{
    private static readonly TimeSpan DamageRecheck = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OnlyReadRecheck = TimeSpan.FromSeconds(10);

    // Of changes that were lost the journal has so many.
    private const int LostInLog = 1_000;

    // A server that is there answers sooner.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly SnapshotLoaderOptions options;
    private readonly StoreEngine engine;
    private readonly TimeProvider time;
    private readonly ILogger<SnapshotLoader> log;
    private readonly FindingSet findings;
    private readonly FindingKeeper keeper;
    private readonly SnapshotSaver saver;
    private readonly SnapshotReader reader;
    private readonly StoreHealth health;
    private readonly IntegrityChecks integrity;
    private readonly FollowedLog? followed;

    // Ends with the first poll, whatever came of it.
    private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DurationHistogram changeToLive = new(DurationBounds.ChangeToLive);

    private PostfixSettings postfix;
    private PolicySnapshot? last;
    private Published? published;
    private (PolicySnapshot Last, PostfixSettings Postfix)? serving;
    private bool replaced;
    private StoreWatch? watch;
    private long openedAt;
    private long? lookedBesideAt;
    private bool checkBeforeLoading = true;
    private bool hasStarted;
    private bool waitsForTurn;
    private IReadOnlyList<DateTimeOffset> committed = [];
    private (FileSignature? Signature, long At)? damage;

    public SnapshotLoader(SnapshotLoaderOptions options, PostfixSettings postfix, TimeProvider time, ILogger<SnapshotLoader> log)
    {
        this.options = options;
        this.postfix = postfix;
        this.time = time;
        this.log = log;
        engine = EngineChoice.For(options.Database);
        findings = new FindingSet(time, log, options.Node);
        keeper = new FindingKeeper(engine, options.Patience, findings, time, log, options.Node);
        saver = new SnapshotSaver(options, findings, time, log);
        reader = new SnapshotReader(engine.Path, findings, time, log);
        health = new StoreHealth(engine.Path, findings, engine.IsShared ? StoreHealth.PatienceWithServer : TimeSpan.Zero, time);
        followed = engine.IsShared ? new FollowedLog(options.SnapshotFile, log) : null;
        integrity = new IntegrityChecks(engine, options.Patience, time);
    }

    /// <inheritdoc/>
    public PolicySnapshot? Current => Volatile.Read(ref published)?.Snapshot;

    /// <summary>The loader's open findings, oldest first. May be read from any thread.</summary>
    public IReadOnlyCollection<Finding> Findings => findings.Open;

    /// <summary>The snapshot in force and where it comes from; null while there is none. May be read from any thread.</summary>
    public SnapshotStatus? Status => Volatile.Read(ref published) is { } now
        ? new SnapshotStatus(
            SnapshotStatus.SourceOf(health.IsGood), now.Snapshot.Identity.StoreId, now.Snapshot.Identity.Sequence,
            now.Snapshot.Identity.Hash, now.Snapshot.Count, now.LoadedAt)
        : null;

    /// <summary>How long changes took from their commit until they were served; those that were made while it did not run are left out. May be read from any thread.</summary>
    public DurationCount ChangeToLive => changeToLive.Read();

    /// <summary>The keys that were read again since the last call; null where there were none. May be called from any thread.</summary>
    public LoadedChanges? TakeChanges() => reader.TakeChanges();

    /// <summary>The entries that have ended and of which the store does not say so yet. May be read from any thread.</summary>
    public IReadOnlyCollection<EndedEntry> Ended => reader.Ended;

    /// <summary>Loads the last good snapshot from the disk, then what the store has beyond it. Never throws over a bad store.</summary>
    /// <remarks>A server that does not answer in a moment is asked on beside what the disk has, which is served meanwhile.</remarks>
    /// <exception cref="OperationCanceledException">The start was cancelled while a server was waited for.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (!engine.IsShared)
        {
            Start();
            return;
        }

        lock (gate)
            ReadLastGood();
        var fromDisk = last;
        _ = LongWork.Start(() =>
        {
            PollFirst();
            return true;
        });
        if (fromDisk is null)
        {
            await asked.Task.WaitAsync(cancellation);
            return;
        }

        try
        {
            await asked.Task.WaitAsync(StartPatience, time, cancellation);
        }
        catch (TimeoutException)
        {
            StoreLog.ServerSlow(log, engine.Path, StartPatience.TotalSeconds);
            // Whatever the poll has meanwhile is newer.
            Interlocked.CompareExchange(ref published, Usable(fromDisk), null);
        }
    }

    /// <summary>As <see cref="StartAsync"/>, however long the store takes.</summary>
    public void Start()
    {
        lock (gate)
        {
            ReadLastGood();
            PollFirst();
        }
    }

    // What the disk holds is not served before the store was asked: it may be ahead.
    private void PollFirst()
    {
        lock (gate)
        {
            Poll();
            hasStarted = true;
        }
    }

    private void ReadLastGood()
    {
        if (LastGoodSnapshot.TryRead(options.SnapshotFile, out var read, out var reason))
        {
            last = read.Snapshot;
            StoreLog.SnapshotRead(log, options.SnapshotFile, last.Count, last.Identity.Sequence);
            if (read.JournalProblem is { } problem)
                StoreLog.JournalCut(log, SnapshotJournal.PathOf(options.SnapshotFile), last.Identity.Sequence, problem);
            saver.Resume(read);
            reader.Adopt(read.Noted);
            followed?.Resume(last.Identity);
            // There is something to serve, so the store's pages can be checked beside it.
            checkBeforeLoading = false;
        }
        else if (reason is not null)
        {
            StoreLog.SnapshotUnreadable(log, options.SnapshotFile, reason);
        }
    }

    /// <summary>Follows the store until cancelled, then saves what is in force.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await PollLoop.RunAsync(engine, options, time, Poll, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // asked to
        }
        finally
        {
            lock (gate)
            {
                if (last is not null)
                    saver.SaveNow(last);
            }
        }
    }

    /// <summary>Replaces the settings for which answers are formatted, such as after the configuration was read again.</summary>
    public void Use(PostfixSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        lock (gate)
        {
            postfix = settings;
            Poll();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            integrity.Stop();
            saver.Dispose();
            if (watch is not null)
                CloseWatch(watch.Dispose);
        }
    }

    /// <summary>Asks the store once whether something changed, and follows it.</summary>
    // The loader must outlive whatever a poll meets: without it no change would ever be live again.
#pragma warning disable CA1031
    internal void Poll()
    {
        lock (gate)
        {
            try
            {
                Follow();
            }
            catch (StoreException error)
            {
                Fail(error);
            }
            catch (Exception error)
            {
                StoreLog.WatchFailed(log, error);
                Fail(new StoreException(StoreFault.Unavailable, $"{engine.Path}: {error.Message}", error));
            }

            End();
            Serve();
            asked.TrySetResult();
            CountLive();
            if (last is not null)
                saver.Offer(last);
            keeper.Keep();
        }
    }
#pragma warning restore CA1031

    private void Follow()
    {
        if (integrity.TakeDamage() is { } problem && watch is not null)
            throw problem;

        var movement = watch?.Poll();
        var isSuspicious = movement == StoreMovement.Disturbed;
        if (movement == StoreMovement.Replaced)
        {
            CloseWatch(watch!.Supersede);
            checkBeforeLoading = true;
        }

        // It is read on, and says so.
        if (movement == StoreMovement.Committed && watch is { Session: { OnlyRead: null } session } && session.Guard(session.FindMoved) is not null)
            CloseWatch(watch.Dispose);
        if (watch is null && damage is { } known && known.Signature == engine.Signature() && time.GetElapsedTime(known.At) < DamageRecheck)
            return;
        if (isSuspicious)
            CloseWatch(watch!.Abandon);
        if (watch is { Session.OnlyRead: not null } && time.GetElapsedTime(openedAt) >= OnlyReadRecheck)
            CloseWatch(watch.Abandon);
        if (watch is null)
        {
            watch = engine.Watch(options.Patience);
            openedAt = time.GetTimestamp();
            if (checkBeforeLoading)
                integrity.CheckNow(watch.Session, isServing: last is not null);
            movement = watch.Poll();
        }

        if (movement == StoreMovement.None && !waitsForTurn && (replaced || (health.IsGood && last is not null && Fits(last))))
            return;

        if (last is null && lookedBesideAt != openedAt)
            LookBeside(watch.Session);
        var read = watch.Session.InOneMoment(() => reader.Load(watch.Session, last, postfix, followed, mayReadAll: !engine.IsShared));
        waitsForTurn = read.IsToReadAll;
        if (waitsForTurn && ReadAll() is { } all)
            (read, waitsForTurn) = (all, false);
        if (waitsForTurn)
            return;
        watch.WasRead();
        if (read.Loaded is not { } loaded)
        {
            Replaced(last!.Identity, read.Fork);
            return;
        }

        if (!ReferenceEquals(loaded.Snapshot, last))
        {
            // Before it is served: what Postfix was told must be what it is told again, whatever is lost with this process.
            saver.Keep(loaded.Snapshot, loaded.Change);
            last = loaded.Snapshot;
            committed = loaded.Committed;
        }

        // Whoever sees that a finding has ended is answered by what ended it.
        Serve();
        Recover();
        integrity.StartWhereDue(isSuspicious);
    }

    /// <summary>Without a last good snapshot at its place: a copy of the store that lacks what was served here under another name is replaced, not loaded.</summary>
    private void LookBeside(StoreSession session)
    {
        if (session.InOneMoment(() => EarlierSnapshot.Find(options.SnapshotFile, session)) is { } earlier)
        {
            last = earlier.Read.Snapshot;
            StoreLog.EarlierSnapshotRead(log, earlier.Path, last.Count, last.Identity.Sequence);
            reader.Adopt(earlier.Read.Noted);
        }

        lookedBesideAt = openedAt;
    }

    /// <summary>Reads everything, in turn with others and from a standby where there is one, then what the primary has beyond it.</summary>
    /// <returns>Null where others read now.</returns>
    private ReadSnapshot? ReadAll()
    {
        ReadSnapshot? read = null;
        using (var session = engine.OpenToReadAll(options.Patience))
        {
            if (!session.TryInTurn(() => read = reader.Load(session, last, postfix, null, mayReadAll: true)))
                return null;
        }

        // A standby that lacks what is loaded already is of no use.
        var from = read?.Loaded?.Snapshot ?? last;
        var newest = watch!.Session.InOneMoment(() => reader.Load(watch.Session, from, postfix, followed, mayReadAll: true));
        // The journal has no record of what lies between.
        return newest.Loaded is { } loaded ? newest with { Loaded = loaded with { Change = null } } : newest;
    }

    /// <summary>Takes down which entries have ended: lookups go by the clock already, and it may be set back.</summary>
    private void End()
    {
        if (last is null || reader.End(last) is not { } ended)
            return;
        saver.Keep(ended.Snapshot, ended.Change);
        last = ended.Snapshot;
    }

    private bool Fits(PolicySnapshot snapshot) =>
        snapshot.Identity.Digest == postfix.FingerprintDigest && snapshot.Identity.Version == postfix.Version;

    /// <summary>Puts the last good snapshot in force, made usable (<see cref="OtherDigest"/>) where it was formatted for other settings.</summary>
    private void Serve()
    {
        if (last is null || (serving is { } now && ReferenceEquals(now.Last, last) && now.Postfix == postfix))
            return;
        serving = (last, postfix);
        Volatile.Write(ref published, Usable(last));
    }

    private Published Usable(PolicySnapshot snapshot) => new(Fits(snapshot) ? snapshot : OtherDigest.Refuse(snapshot, postfix), time.GetUtcNow());

    private void CountLive()
    {
        if (hasStarted)
        {
            var now = time.GetUtcNow();
            foreach (var at in committed)
                changeToLive.Add(now - at);
        }

        committed = [];
    }

    private void Recover()
    {
        health.Recovered(watch?.Session.OnlyRead);
        replaced = false;
        damage = null;
        checkBeforeLoading = false;
    }

    private void Fail(StoreException error)
    {
        if (watch is not null)
            CloseWatch(watch.Abandon);
        replaced = false;
        if (error.IsDamage)
        {
            checkBeforeLoading = true;
            damage = (engine.Signature(), time.GetTimestamp());
        }

        waitsForTurn = false;
        if (!health.Failed(error) || !engine.IsShared)
            return;
        if (last is null)
            StoreLog.NotReadYet(log, error.Message);
        else
            StoreLog.NotFollowed(log, error.Message);
    }

    private void Replaced(SnapshotIdentity lastLoaded, LogFork? fork)
    {
        replaced = true;
        // A person accepts the store in place of what the file names; it must be what is in force.
        saver.SaveNow(last!);
        if (fork is null)
            health.Replaced(lastLoaded);
        else
            Tell(fork);
    }

    private void Tell(LogFork fork)
    {
        if (health.Forked(fork))
        {
            foreach (var row in fork.Lost.TakeLast(LostInLog))
                StoreLog.ChangeLost(log, row);
        }
    }

    private void CloseWatch(Action close)
    {
        close();
        watch = null;
    }

    private sealed record Published(PolicySnapshot Snapshot, DateTimeOffset LoadedAt);
}
