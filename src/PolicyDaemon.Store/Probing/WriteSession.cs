using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store.Probing;

/// <summary>The ledger's writing connection with its prepared statements.</summary>
internal sealed class WriteSession : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly HistoryCache cache;
    private readonly Statement begin;
    private readonly Statement commit;
    private readonly Statement savepoint;
    private readonly Statement release;
    private readonly Statement rollbackTo;
    private readonly TargetTable targets;
    private readonly StateTable states;
    private readonly MaterialTable material;
    private readonly ObservationWriter observations;
    private readonly ProbeResultWriter rounds;
    private readonly FindingWriter findings;
    private readonly Sweeper sweeper;
    private readonly List<StoredHistory> written = [];

    private WriteSession(SqliteConnection connection, string path, FileSignature? signature, HistoryCache cache)
    {
        this.connection = connection;
        this.cache = cache;
        Signature = signature;
        var storeId = StoreVersion.Check(connection, path, StoreAccess.Write);
        begin = new Statement(connection, "BEGIN IMMEDIATE", 0);
        commit = new Statement(connection, "COMMIT", 0);
        savepoint = new Statement(connection, "SAVEPOINT item", 0);
        release = new Statement(connection, "RELEASE item", 0);
        rollbackTo = new Statement(connection, "ROLLBACK TO item", 0);
        targets = new TargetTable(connection, cache);
        states = new StateTable(connection);
        material = new MaterialTable(connection);
        observations = new ObservationWriter(connection, targets, material);
        rounds = new ProbeResultWriter(connection, path, storeId, states, targets, material);
        findings = new FindingWriter(connection);
        sweeper = new Sweeper(connection);
    }

    /// <summary>The file that is open.</summary>
    internal FileSignature? Signature { get; }

    internal SqliteConnection Connection => connection;

    internal static WriteSession Open(string path, TimeSpan? patience, HistoryCache cache)
    {
        var signature = FileSignature.Of(path);
        var connection = StoreConnection.Open(path, StoreAccess.Write, patience);
        try
        {
            return new WriteSession(connection, path, signature, cache);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal void Begin(DateTimeOffset now)
    {
        begin.Execute();
        sweeper.SweepWhereDue(now);
    }

    /// <summary>Does one piece of work: all of it or, where it throws, nothing of it.</summary>
    internal void Do(Action<WriteSession> work)
    {
        savepoint.Execute();
        var count = written.Count;
        try
        {
            work(this);
            release.Execute();
        }
        catch
        {
            written.RemoveRange(count, written.Count - count);
            TakeBack();
            throw;
        }
    }

    internal void Commit()
    {
        commit.Execute();
        foreach (var history in written)
            cache.Keep(history);
        written.Clear();
    }

    private void TakeBack()
    {
        try
        {
            rollbackTo.Execute();
            release.Execute();
        }
        catch (SqliteException)
        {
            // After a full disk or an I/O error SQLite has rolled back everything already; what made it do so is on its way up.
        }
    }

    internal void Write(Observation observation, DateTimeOffset now)
    {
        if (observations.Write(observation, now) is { } history)
            written.Add(history);
    }

    internal void Write(ProbeResult round, PostfixSettings postfix, DateTimeOffset now) => rounds.Write(round, postfix, now);

    internal int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter) => rounds.RecallFuture(now, dueAfter);

    internal void Write(IReadOnlyList<Core.Findings.Finding> proberFindings, DateTimeOffset at) => findings.Write(proberFindings, at);

    /// <summary>Ends a transaction that is under way, if one is.</summary>
    public void Dispose()
    {
        foreach (var part in (IDisposable[])[begin, commit, savepoint, release, rollbackTo, targets, states, material, observations, rounds, findings, sweeper])
            part.Dispose();
        // Closing rolls back.
        connection.Dispose();
    }
}
