using System.Data.Common;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Findings;

namespace PolicyDaemon.Store.Probing;

/// <summary>The tables that the ledger writes, over one session.</summary>
internal sealed class WriteSession
{
    /// <summary>The subject of findings about the prober itself.</summary>
    internal const string Prober = "prober";

    private readonly StoreSession session;
    private readonly HistoryCache cache;
    private readonly StateTable states;
    private readonly ObservationWriter observations;
    private readonly ProbeResultWriter results;
    private readonly Sweeper sweeper;
    private readonly ProberTable prober;
    private readonly List<StoredHistory> written = [];

    internal WriteSession(StoreSession session, HistoryCache cache)
    {
        this.session = session;
        this.cache = cache;
        var targets = new TargetTable(session.Connection, cache);
        var material = new MaterialTable(session.Connection);
        states = new StateTable(session.Connection, targets);
        observations = new ObservationWriter(session.Connection, targets, material);
        results = new ProbeResultWriter(session, states, targets, material);
        sweeper = new Sweeper(session.Connection);
        prober = new ProberTable(session.Connection);
    }

    internal DbConnection Connection => session.Connection;

    internal StoreRights Rights => session.Rights;

    internal void Begin(DateTimeOffset now)
    {
        session.BeginWrite();
        if (session.Rights.Probes)
            sweeper.SweepWhereDue(now);
    }

    /// <summary>Does one piece of work: all of it or, where it throws, nothing of it.</summary>
    internal void Do(Action<WriteSession> work)
    {
        var count = written.Count;
        try
        {
            session.Isolate(() => work(this));
        }
        catch
        {
            written.RemoveRange(count, written.Count - count);
            throw;
        }
    }

    internal void Commit()
    {
        session.Commit();
        foreach (var history in written)
            cache.Keep(history);
        written.Clear();
    }

    internal void Write(Observation observation, DateTimeOffset now)
    {
        if (observations.Write(observation, now) is { } history)
            written.Add(history);
    }

    internal void Write(ProbeResult result, PostfixSettings postfix, DateTimeOffset now) => results.Write(result, postfix, now);

    internal int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter)
    {
        prober.RecallFuture(now);
        return states.RecallFuture(now, dueAfter);
    }

    internal void ClockSet(DateTimeOffset at) => prober.ClockSet(at);

    internal void BrakeSet(DateTimeOffset at) => prober.BrakeSet(at);

    internal void Write(IReadOnlyCollection<Finding> ofTheProber, DateTimeOffset at) =>
        FindingTable.Replace(Connection, Prober, FindingSource.Prober, ofTheProber, at);
}
