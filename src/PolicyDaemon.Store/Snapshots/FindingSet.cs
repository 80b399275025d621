using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The loader's open findings, kept in memory first, because the store itself may be what is broken.</summary>
/// <param name="node">Whose they are; null in a store that has one.</param>
internal sealed class FindingSet(TimeProvider time, ILogger log, string? node = null)
{
    private ImmutableDictionary<(FindingKind Kind, string Subject), Finding> open =
        ImmutableDictionary<(FindingKind, string), Finding>.Empty;

    /// <summary>Counts the changes of the set, so that the keeper knows whether the store has all of them.</summary>
    internal long Version { get; private set; }

    /// <summary>The open findings, the oldest first. May be read from any thread.</summary>
    internal IReadOnlyCollection<Finding> Open => [.. Volatile.Read(ref open).Values.OrderBy(finding => finding.Since)];

    internal void Raise(FindingKind kind, string subject, string detail, string remedy, int affects = 1, DateTimeOffset? since = null)
    {
        if (open.TryGetValue((kind, subject), out var known) && known.Detail == detail)
            return;
        var finding = new Finding(kind, subject, detail, remedy, known?.Since ?? since ?? time.GetUtcNow()) { Affects = affects, Node = node };
        Volatile.Write(ref open, open.SetItem((kind, subject), finding));
        Version++;
        if (known is null)
            StoreLog.FindingRaised(log, kind.Name(), subject, detail, remedy);
    }

    internal void Close(FindingKind kind, string subject)
    {
        if (!open.ContainsKey((kind, subject)))
            return;
        Volatile.Write(ref open, open.Remove((kind, subject)));
        Version++;
        StoreLog.FindingClosed(log, kind.Name(), subject);
    }

    /// <summary>Replaces the open findings of a kind.</summary>
    internal void Replace(FindingKind kind, IReadOnlyDictionary<string, (string Detail, string Remedy, int Affects)> subjects)
    {
        foreach (var (known, subject) in open.Keys.Where(key => key.Kind == kind && !subjects.ContainsKey(key.Subject)).ToList())
            Close(known, subject);
        foreach (var (subject, (detail, remedy, affects)) in subjects)
            Raise(kind, subject, detail, remedy, affects);
    }
}
