using System.IO.Hashing;
using System.Runtime.InteropServices;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Findings;

namespace PolicyDaemon.Store.Changes;

/// <summary>Judges changes and writes them together with their audit rows, inside the caller's transaction. Whoever writes comes through here.</summary>
/// <param name="onRecord">What a person's change of pins is judged by; null where only automation writes.</param>
internal sealed class DestinationChanges(
    StoreSession session, string storeId, ChangeOrigin origin, PostfixSettings postfix, DateTimeOffset time, OnRecord? onRecord)
{
    // Of the names above a key there are few: com, co.uk and the like.
    private const int MaxParents = 10_000;

    // Of the keys that come next; a range that holds more is asked of key by key.
    private const int MostAhead = 5000;

    private readonly DestinationWriter writer = new(session.Connection, session.Queue);
    private readonly DestinationTable destinations = new(session.Connection);

    // What parents were before this change touched them: one that goes first must not make its children's weakening invisible.
    private readonly Dictionary<NextHop, Destination?> parents = [];
    private bool touchesParents;

    private EndFindings? ends;

    // What is there of the hosts of the keys that come next.
    private HostRange? ahead;

    // Of many keys: those that this change has written, by a hash.
    private readonly HashSet<ulong>? written = session.Queue is null ? null : [];

    // The key that was asked for last: plan, judgement and writing ask for the same one in turn.
    private (NextHop Key, StoredDestination? Stored)? last;

    // Rows above it are of this change.
    private readonly long lastIdBefore = new DestinationTable(session.Connection).LastId();

    internal AuditWriter Audit { get; } = new(session.Connection, storeId, origin.Actor, origin.Command, origin.Reason, time, session.Queue);

    internal StoredDestination? Find(NextHop key)
    {
        if (last is { } asked && asked.Key == key)
            return asked.Stored;
        var stored = ahead is { } range && range.Covers(DestinationTable.HostOf(key)) ? range.Find(key) : destinations.Find(key.Text);
        last = (key, stored);
        return stored;
    }

    /// <summary>Other keys with the same bare host, but for those that this change adds.</summary>
    internal IEnumerable<StoredDestination> OtherForms(NextHop key)
    {
        var host = DestinationTable.HostOf(key);
        var forms = ahead is { } range && range.Covers(host) ? range.OfHost(host) : destinations.OfHost(host);
        return forms.Where(stored => stored.Id <= lastIdBefore && stored.Key != key.Text);
    }

    /// <summary>Reads at once what is there of keys that are asked for next, where asking for each takes a way to another machine.</summary>
    internal void Expect(IReadOnlyCollection<NextHop> keys)
    {
        ahead = null;
        if (!session.AsksAfar || keys.Count == 0)
            return;
        var hosts = keys.Select(DestinationTable.HostOf).Order(StringComparer.Ordinal).ToList();
        if (destinations.OfHosts(hosts[0], hosts[^1], MostAhead) is { } found)
            ahead = new HostRange(hosts[0], hosts[^1], found);
    }

    internal UndoPlan PlanUndo(long changeId, IProgress<(int Done, int All)>? progress) => UndoPlanner.Plan(session.Connection, destinations, changeId, time, progress);

    internal JudgedChange Judge(NextHop key, Destination? after, bool acceptsUnsigned = false)
    {
        var stored = Find(key);
        if (after is not null)
            stored?.Get(session.Path);
        return new JudgedChange(key, stored, after, postfix, FindParentBefore, origin.IsAutomation ? null : onRecord, time, acceptsUnsigned);
    }

    /// <summary>Writes what an entry has come to at its end, which a person decided when the end was set; the clock may have gone back since.</summary>
    /// <returns>False where it has no end, or another one.</returns>
    internal bool WriteEnd(NextHop key, DateTimeOffset until)
    {
        if (Find(key) is not { Value: { } entry } stored || entry.Until != until)
            return false;
        var judged = new JudgedChange(key, stored, entry.AfterEnd(), postfix, FindParentBefore, onRecord: null, until > time ? until : time);
        if (!Write(judged, evidence: null))
            return false;
        (ends ??= new EndFindings(session.Connection, time)).Raise(EntryEnd.FindingOf(judged, until, time));
        return true;
    }

    /// <returns>Null where this origin may make the change.</returns>
    internal ChangeRefusedException? Refusal(JudgedChange judged) => ChangeRefusedException.Of(judged, origin, postfix);

    /// <returns>False where nothing differed.</returns>
    /// <exception cref="ChangeRefusedException">The rules refuse it to this origin.</exception>
    internal bool Write(JudgedChange judged, string? evidence)
    {
        if (judged.Action is null)
            return false;
        if (Refusal(judged) is { } refused)
            throw refused;
        // Judged by this change, or before it by nobody who could have written since: only this change itself could.
        if (written?.Add(XxHash64.HashToUInt64(MemoryMarshal.AsBytes(judged.Key.Text.AsSpan()))) == true)
            last = (judged.Key, judged.Stored);
        var stored = Find(judged.Key);
        var isWritten = WriteUnjudged(judged.Key, judged.Before, judged.After, judged.ShownBefore, judged.ShownAfter, evidence);
        if (!judged.AcceptsUnsigned || stored is not { } known)
            return isWritten;
        writer.ForgetSigned(known.Id);
        FindingTable.Close(session.Connection, FindingKind.DnssecLost, judged.Key.Text, time);
        // The entry may stay as it is; that somebody decided is on record all the same.
        if (!isWritten)
        {
            var json = DestinationDocument.ToJson(judged.After!);
            Audit.Append(AuditAction.Change, judged.Key.Text, json, json, judged.ShownBefore, judged.ShownAfter, evidence);
        }

        return true;
    }

    /// <summary>Writes whatever it is told; for <see cref="Write"/>, and for tests of what somebody wrote past it.</summary>
    internal bool WriteUnjudged(NextHop key, Destination? before, Destination? after, string? answerBefore, string? answerAfter, string? evidence)
    {
        var stored = Find(key);
        if (stored?.Value != before)
            throw new InvalidOperationException($"{key} was judged before this change wrote it");
        last = null;
        ahead?.Forget(DestinationTable.HostOf(key));
        touchesParents |= key.IsSubdomains || key.IsDefault;
        if (stored is not { } known)
        {
            if (after is null)
                return false;
            writer.Insert(after);
            Audit.Append(AuditAction.Add, key.Text, null, DestinationDocument.ToJson(after), answerBefore, answerAfter, evidence);
            return true;
        }

        // An entry that cannot be read can be removed all the same; its row then has no JSON to come back from.
        var jsonBefore = before is null ? null : DestinationDocument.ToJson(before);
        if (after is null)
        {
            writer.Remove(known.Id);
            EndProbing(key);
            Audit.Append(AuditAction.Remove, key.Text, jsonBefore, null, answerBefore, null, evidence);
            return true;
        }

        var jsonAfter = DestinationDocument.ToJson(after);
        if (jsonBefore == jsonAfter)
            return false;
        writer.Update(known.Id, known.Get(session.Path), after);
        if (before!.Policy.Level.IsProbed() && !after.Policy.Level.IsProbed())
        {
            writer.ForgetProbes(known.Id);
            EndProbing(key);
        }

        Audit.Append(AuditAction.Change, key.Text, jsonBefore, jsonAfter, answerBefore, answerAfter, evidence);
        return true;
    }

    /// <summary>What probes found about a destination that is not probed any more is settled.</summary>
    private void EndProbing(NextHop key) =>
        FindingTable.Replace(session.Connection, key.Text, FindingSource.Probe, [], time);

    private Destination? FindParentBefore(NextHop key)
    {
        if (parents.TryGetValue(key, out var before))
            return before;
        if (parents.Count == MaxParents)
            parents.Clear();
        // A change may touch a million parents; its own rows of the log say what each was.
        return parents[key] = touchesParents && AuditLog.FirstAfter(session.Connection, Audit.SequenceBefore, key.Text) is { } touched
            ? touched.Before is null ? null : DestinationDocument.FromJson(touched.Before)
            : destinations.Find(key.Text)?.Get(session.Path);
    }
}

/// <summary>The destinations whose bare hosts lie in a range, as they were when they were read.</summary>
internal sealed class HostRange(string first, string last, IEnumerable<StoredDestination> found)
{
    private readonly ILookup<string, StoredDestination> byHost = found.ToLookup(stored => DestinationTable.HostOf(stored.Key), StringComparer.Ordinal);
    private readonly HashSet<string> written = new(StringComparer.Ordinal);

    /// <summary>True where everything of this host is known.</summary>
    internal bool Covers(string host) =>
        string.CompareOrdinal(host, first) >= 0 && string.CompareOrdinal(host, last) <= 0 && !written.Contains(host);

    internal IEnumerable<StoredDestination> OfHost(string host) => byHost[host];

    internal StoredDestination? Find(NextHop key)
    {
        foreach (var stored in byHost[DestinationTable.HostOf(key)])
        {
            if (stored.Key == key.Text)
                return stored;
        }

        return null;
    }

    /// <summary>What is there of a host is another now.</summary>
    internal void Forget(string host) => written.Add(host);
}
