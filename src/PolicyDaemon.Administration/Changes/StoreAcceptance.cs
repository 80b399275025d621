using System.Globalization;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Administration.Changes;

/// <summary>A person says that a replaced store is meant.</summary>
/// <remarks>policyd does not load a store whose audit log lacks the last row that it loaded; the old answers stay in force until then.</remarks>
public sealed class StoreAcceptance(Settings settings, TimeProvider time, IChangeJournal journal)
{
    /// <returns>The answers that change with it; null where the store is the one that policyd knows, or was accepted already.</returns>
    /// <exception cref="RefusedException">Neither policyd nor its last good snapshot says what is in force, or no reason is given.</exception>
    public ChangeResult? Run(ChangeRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.DryRun && string.IsNullOrWhiteSpace(request.Reason))
            throw new RefusedException(Refusal.NeedsReason, "a replaced store is accepted with --reason \"why\"; see what would change with --dry-run");
        using var store = PolicyStore.Open(settings.Database, request.DryRun ? StoreAccess.Read : StoreAccess.Write, time);
        if (LocalDaemon.Elsewhere(settings, store.StoreId) is { } elsewhere)
            throw new RefusedException(Refusal.NothingToReplace, $"there is nothing that this store replaces: {elsewhere}; accept it where policyd is to answer from it");
        var (lastLoaded, snapshot) = LastLoaded(store);
        if (store.IsAcceptedInPlaceOf(lastLoaded)
            || (store.StoreId == lastLoaded.StoreId && store.VerifyAudit(lastLoaded.Hash.Length > 0 ? lastLoaded.Hash : null).IsSound))
            return null;

        var changes = snapshot is null ? [] : Differences(snapshot, store);
        if (request.DryRun)
            return new ChangeResult(changes, [], null);
        using var change = store.BeginChange(new ChangeOrigin(request.Actor, request.Command, request.Reason), settings.Postfix);
        change.Accept(lastLoaded);
        var receipt = change.Commit();
        // A person has read it, and says why it is taken as it is.
        foreach (var broken in store.OpenFindings(FindingKind.AuditBroken).Select(open => open.Finding))
            store.CloseFinding(broken.Kind, broken.Subject, broken.Node);
        journal.Note(receipt.ChangeId, request.Actor, receipt.Head.Hash, request.Command);
        return new ChangeResult(changes, [], receipt) { IsForGood = true };
    }

    /// <summary>Gives up what machines had loaded behind a row that the store has, too, as after a failover that lost rows: once, for all of them.</summary>
    /// <param name="sequence">The row.</param>
    /// <returns>The answers that change with it on this machine, where its last good snapshot tells; null where they were given up already.</returns>
    /// <exception cref="RefusedException">The store has no such row, or no reason is given.</exception>
    public ChangeResult? RunAfter(ChangeRequest request, long sequence)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.DryRun && string.IsNullOrWhiteSpace(request.Reason))
            throw new RefusedException(Refusal.NeedsReason, "changes that were lost are given up with --reason \"why\"; see what would change here with --dry-run");
        using var store = PolicyStore.Open(settings.Database, request.DryRun ? StoreAccess.Read : StoreAccess.Write, time);
        var head = store.Head();
        if (sequence < 1 || sequence > head.Sequence)
            throw new RefusedException(
                Refusal.NoSuchRow, string.Create(CultureInfo.InvariantCulture, $"the audit log has no row {sequence}: it ends with row {head.Sequence}; the finding of the machine that had loaded more names the right one"));
        if (store.IsAcceptedAfter(sequence))
            return null;
        var changes = LocalDaemon.Elsewhere(settings, store.StoreId) is null && store.ReadLastGood(settings.Snapshot, out _) is { } last ? Differences(last, store) : [];
        if (request.DryRun)
            return new ChangeResult(changes, [], null);
        using var change = store.BeginChange(new ChangeOrigin(request.Actor, request.Command, request.Reason), settings.Postfix);
        change.AcceptAfter(sequence);
        var receipt = change.Commit();
        journal.Note(receipt.ChangeId, request.Actor, receipt.Head.Hash, request.Command);
        return new ChangeResult(changes, [], receipt) { IsForGood = true };
    }

    /// <summary>What is in force: what the last good snapshot says, else the running daemon.</summary>
    private (SnapshotIdentity Identity, PolicySnapshot? Snapshot) LastLoaded(PolicyStore store)
    {
        if (store.ReadLastGood(settings.Snapshot, out var reason) is { } snapshot)
            return (snapshot.Identity, snapshot);
        if (DaemonStatusFile.TryRead(settings.StatusFile)?.Snapshot is { } said)
            return (new SnapshotIdentity(said.StoreId, said.Sequence, said.Hash, settings.Postfix.FingerprintDigest, settings.Postfix.Version), null);
        throw new RefusedException(
            Refusal.NothingToReplace,
            $"there is nothing that this store replaces: {reason ?? $"{settings.Snapshot} does not exist"}; a policyd without a last good snapshot loads the store as it is");
    }

    private List<ChangedKey> Differences(PolicySnapshot snapshot, PolicyStore store)
    {
        var now = time.GetUtcNow();
        var before = snapshot.Entries.Select(entry => (entry.Key, Answer: entry.AnswerAt(now))).Where(entry => entry.Answer is not null)
            .ToDictionary(entry => entry.Key, entry => entry.Answer!.Value, StringComparer.Ordinal);
        var changes = new List<ChangedKey>();
        foreach (var destination in store.List().Select(destination => destination.At(now)).OfType<Destination>())
        {
            var answer = PolicyText.Answer(destination, settings.Postfix, MapName.TlsPolicy);
            if (!before.Remove(destination.Key.Text, out var was))
                changes.Add(new ChangedKey(destination.Key.Text, AuditAction.Add, null, answer, []));
            else if (was != answer)
                changes.Add(new ChangedKey(destination.Key.Text, AuditAction.Change, was, answer, []));
        }

        changes.AddRange(before.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(gone => new ChangedKey(gone.Key, AuditAction.Remove, gone.Value, null, [])));
        return changes;
    }
}
