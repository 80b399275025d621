using System.Data.Common;
using System.Text.Json;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>The audit log as it was at a moment, and the entries that it had led to by then. Nothing else of the store is read, so that what
/// happened later is not in it.</summary>
/// <remarks>
/// The log ends before its first row that is later than the moment: a row behind it is left out even where the clock had been set back when it was
/// written, so that rows that are added later change nothing. Valid within the transaction it was made in; one of its lists at a time.
/// </remarks>
public sealed class AuditPast
{
    private readonly DbConnection connection;
    private readonly AuditRange all;

    internal AuditPast(DbConnection connection, string storeId, DateTimeOffset at)
    {
        this.connection = connection;
        StoreId = storeId;
        At = at;
        all = new AuditRange(1, AuditPastQueries.LastAt(connection, at.Seconds()));
        Head = all.Last == 0 ? AuditHead.Empty : new AuditHead(all.Last, AuditLog.HashAt(connection, all.Last) ?? "");
    }

    /// <summary>The identity of the store.</summary>
    public string StoreId { get; }

    /// <summary>The moment.</summary>
    public DateTimeOffset At { get; }

    /// <summary>The last row at the moment.</summary>
    public AuditHead Head { get; }

    /// <summary>When the first row was written, which is when the store was made; null where there is none at the moment.</summary>
    public DateTimeOffset? Begins => all.Last == 0 ? null : AuditPastQueries.Begins(connection)?.Time();

    /// <summary>Checks the chain of hashes up to the moment.</summary>
    /// <param name="whole">Also what stands behind the moment, and that the present entries are those the log leads to.</param>
    /// <param name="progress">Told how many rows are checked.</param>
    public AuditVerification Verify(bool whole, IProgress<long>? progress)
    {
        if (whole)
            return AuditVerifier.Verify(connection, StoreId, null, progress);
        var head = AuditHead.Empty;
        foreach (var row in AuditLog.After(connection, 0).TakeWhile(row => row.Sequence <= all.Last))
        {
            if (AuditChain.Problem(StoreId, head, row) is { } problem)
                return new AuditVerification(head.Sequence, head, problem);
            head = new AuditHead(row.Sequence, row.Hash);
            if (head.Sequence % AuditVerifier.ProgressStep == 0)
                progress?.Report(head.Sequence);
        }

        return new AuditVerification(head.Sequence, head, null);
    }

    /// <summary>The changes until the moment, the newest first, each with how many rows it has.</summary>
    /// <param name="key">Only those of one key, with its rows alone; null for all.</param>
    /// <param name="since">Without what stands before the last row that is older; null for all.</param>
    public IEnumerable<AuditedChange> Changes(NextHop? key, DateTimeOffset? since) =>
        AuditPastQueries.Changes(connection, Range(since), key?.Text).Select(row => row.ToChange());

    /// <summary>The rows until the moment, the newest first; those of a change one after the other.</summary>
    /// <inheritdoc cref="Changes"/>
    public IEnumerable<AuditRow> Newest(NextHop? key, DateTimeOffset? since) => AuditPastQueries.Newest(connection, Range(since), key?.Text);

    /// <summary>The last step of every key until the moment, in no order; an entry that was removed by then has none.</summary>
    /// <param name="key">Only of one key; null for all.</param>
    public IEnumerable<EntryStep> LastSteps(NextHop? key) => AuditPastQueries.LastOfKeys(connection, all, key?.Text).Select(Step);

    /// <summary>The steps of every key until the moment, in the order of the keys, each from its first to its last.</summary>
    /// <inheritdoc cref="LastSteps"/>
    public IEnumerable<IReadOnlyList<EntryStep>> Steps(NextHop? key)
    {
        var steps = new List<EntryStep>();
        foreach (var row in AuditPastQueries.OfKeys(connection, all, key?.Text))
        {
            if (steps.Count > 0 && steps[^1].Row.Key != row.Key)
            {
                yield return steps;
                steps = [];
            }

            steps.Add(Step(row));
        }

        if (steps.Count > 0)
            yield return steps;
    }

    /// <summary>The pins that the rules of the life cycle moved in a row, as its evidence says; empty where a person decided.</summary>
    public static IReadOnlyList<DecidedPin> ReadDecisions(AuditRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return [.. EvidenceDocument.ReadTransitions(row.Evidence).Select(moved => new DecidedPin(moved.Fingerprint, moved.From, moved.To, moved.Rule, moved.Reason))];
    }

    private AuditRange Range(DateTimeOffset? since) =>
        since is { } from ? new AuditRange(AuditPastQueries.FirstSince(connection, all, from.Seconds()), all.Last) : all;

    private static EntryStep Step(AuditRow row)
    {
        try
        {
            return new EntryStep(row, row.After is null ? null : DestinationDocument.FromJson(row.After), IsReadable: true)
            {
                Decided = ReadDecisions(row),
            };
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return new EntryStep(row, null, IsReadable: false);
        }
    }
}

/// <summary>A change, as the audit log has it.</summary>
/// <param name="Id">Its number, which <c>undo</c> takes.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Actor">Who made it.</param>
/// <param name="HasReason">True where a reason was given.</param>
/// <param name="Rows">How many rows it has.</param>
public sealed record AuditedChange(long Id, DateTimeOffset Time, Actor Actor, bool HasReason, long Rows);

/// <summary>What a row of the audit log made of an entry.</summary>
/// <param name="Row">The row.</param>
/// <param name="Entry">The entry after it; null where it was removed, or cannot be read.</param>
/// <param name="IsReadable">False where a later version wrote the entry, or somebody altered it.</param>
public sealed record EntryStep(AuditRow Row, Destination? Entry, bool IsReadable)
{
    /// <summary>The pins that the rules of the life cycle moved, and why; empty where a person changed the entry.</summary>
    public IReadOnlyList<DecidedPin> Decided { get; init; } = [];
}
