using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>An entry that has ended.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Until">When it ended, UTC.</param>
public readonly record struct EndedEntry(string Key, DateTimeOffset Until);

/// <summary>The entries of a snapshot that end by themselves: those that will, and those that have and still stand in the store as they were.</summary>
internal sealed class EntryEnds
{
    private readonly Dictionary<string, DateTimeOffset> ahead = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> ended = new(StringComparer.Ordinal);
    private IReadOnlyCollection<EndedEntry> shown = [];
    private DateTimeOffset next = DateTimeOffset.MaxValue;

    /// <summary>The entries that have ended. May be read from any thread.</summary>
    internal IReadOnlyCollection<EndedEntry> Ended => Volatile.Read(ref shown);

    internal void Note(SnapshotEntry entry)
    {
        var isAhead = entry is { ValidUntil: not null, HasLapsed: false };
        var isEnded = entry is { ValidUntil: not null, HasLapsed: true };
        if (isAhead)
            ahead[entry.Key] = entry.ValidUntil!.Value;
        else
            ahead.Remove(entry.Key);
        if (isAhead && entry.ValidUntil < next)
            next = entry.ValidUntil.Value;
        if (isEnded)
            ended[entry.Key] = entry.ValidUntil!.Value;
        else if (!ended.Remove(entry.Key))
            return;
        Show();
    }

    internal void Forget(string key)
    {
        ahead.Remove(key);
        if (ended.Remove(key))
            Show();
    }

    internal void Clear()
    {
        ahead.Clear();
        ended.Clear();
        next = DateTimeOffset.MaxValue;
        Show();
    }

    /// <summary>The keys whose end has come since they were noted.</summary>
    internal IReadOnlyList<string> Due(DateTimeOffset now)
    {
        if (now < next)
            return [];
        var due = ahead.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToList();
        next = ahead.Where(entry => entry.Value > now).Select(entry => entry.Value).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        return due;
    }

    private void Show() => Volatile.Write(ref shown, [.. ended.Select(entry => new EndedEntry(entry.Key, entry.Value))]);
}
