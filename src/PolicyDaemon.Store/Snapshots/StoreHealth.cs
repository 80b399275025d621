using System.Globalization;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Whether the store can be followed, and the one finding that says why not.</summary>
/// <param name="patience">How long a store is out of reach before that is a finding: of a file, at once; a server may be restarted, or fail over.</param>
internal sealed class StoreHealth(string database, FindingSet findings, TimeSpan patience, TimeProvider time)
{
    /// <summary>How long a server may be out of reach without anybody being told.</summary>
    internal static readonly TimeSpan PatienceWithServer = TimeSpan.FromMinutes(1);

    // Of a list of lost changes a person reads so many; the journal has more.
    private const int LostInFinding = 10;

    // What to do stands in the sentence: no command restores the right backup.
    private const string Look = "policyctl status";

    private bool good;
    private (long At, DateTimeOffset Since)? away;
    private (long At, DateTimeOffset Since)? onlyReadSince;
    private AuditHead? told;

    /// <summary>May be read from any thread.</summary>
    internal bool IsGood => Volatile.Read(ref good);

    /// <param name="onlyRead">Why the store can be read and not written; null where it can be written.</param>
    internal void Recovered(StoreException? onlyRead)
    {
        // A standby is read until it is promoted, or the primary is back: as patiently as where none answers.
        onlyReadSince = onlyRead is null ? null : onlyReadSince ?? away ?? Now;
        (away, told) = (null, null);
        Volatile.Write(ref good, true);
        var isTold = onlyRead is not null && (onlyRead.Kind != StoreFault.ReadOnly || time.GetElapsedTime(onlyReadSince!.Value.At) >= patience);
        CloseAllBut(isTold ? FindingKind.StoreUnavailable : null);
        if (isTold)
        {
            findings.Raise(
                FindingKind.StoreUnavailable, database,
                onlyRead!.Kind == StoreFault.Moved ? $"{onlyRead.Message}, and restart policyd: it answers from here until then" : $"{onlyRead.Message}; the daemon tries again by itself",
                Look, since: onlyReadSince!.Value.Since);
        }
    }

    private (long At, DateTimeOffset Since) Now => (time.GetTimestamp(), time.GetUtcNow());

    /// <returns>True where it is the first failure in a row.</returns>
    internal bool Failed(StoreException error)
    {
        var isFirst = away is null;
        away ??= onlyReadSince ?? Now;
        if (error.Kind is StoreFault.Unavailable or StoreFault.Locked or StoreFault.ReadOnly && time.GetElapsedTime(away.Value.At) < patience)
        {
            Volatile.Write(ref good, false);
            CloseAllBut(FindingKind.StoreUnavailable);
        }
        else
        {
            Report(error);
        }

        return isFirst;
    }

    private void Report(StoreException error) => Report(
        error.IsDamage ? FindingKind.StoreDamaged : FindingKind.StoreUnavailable,
        error.Message + error.Kind switch
        {
            StoreFault.Missing => "; restore a backup to this path, or run policyctl init for a new store",
            StoreFault.Damaged or StoreFault.NotAStore => "; restore a backup (policyctl backup made it), see policydaemon(7)",
            // Its message says what to do.
            StoreFault.Newer => "",
            _ => "; the daemon tries again by itself",
        },
        Look);

    internal void Replaced(SnapshotIdentity lastLoaded) => Report(
        FindingKind.StoreReplaced,
        $"{database}: another store lies here: its audit log lacks row {lastLoaded.Sequence} {lastLoaded.Hash} of store {lastLoaded.StoreId}, which was loaded last; where it is meant, as after restoring a backup, accept it with policyctl store accept and a --reason",
        "policyctl store accept --dry-run");

    /// <returns>True where this fork was not told before.</returns>
    internal bool Forked(LogFork fork)
    {
        var after = fork.Point.Sequence.ToString(CultureInfo.InvariantCulture);
        var lost = fork.Lost.Count == 0 ? "" : $": {string.Join("; ", fork.Lost.TakeLast(LostInFinding))}";
        var more = fork.Lost.Count > LostInFinding ? $" (the last {LostInFinding}; the others are in the journal)" : "";
        var isNew = told != fork.Point;
        told = fork.Point;
        Report(
            FindingKind.StoreReplaced,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{database}: the audit log does not continue the one that was followed here: behind row {after} it lacks {fork.Count} {(fork.Count == 1 ? "row" : "rows")}, as after a failover that lost what was acknowledged{lost}{more}; the answers stay as they were with them. Bring the server back that has them, or give them up with policyctl store accept --after {after} and a --reason, once for all machines, and make again what is still wanted"),
            $"policyctl store accept --after {after} --dry-run");
        return isNew;
    }

    private void Report(FindingKind kind, string detail, string remedy)
    {
        Volatile.Write(ref good, false);
        CloseAllBut(kind);
        findings.Raise(kind, database, detail, remedy, since: away?.Since);
    }

    private void CloseAllBut(FindingKind? kind)
    {
        foreach (var other in FindingKinds.Of(FindingSource.Store).Where(fault => fault != kind))
            findings.Close(other, database);
    }
}
