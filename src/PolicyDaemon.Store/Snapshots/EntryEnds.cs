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
    private bool isShown = true;
    private DateTimeOffset nextByClock = DateTimeOffset.MaxValue;
    private DateTimeOffset nextSettled = DateTimeOffset.MaxValue;

    /// <summary>The entries that had ended at the last <see cref="Show"/>. May be read from any thread.</summary>
    internal IReadOnlyCollection<EndedEntry> Ended => Volatile.Read(ref shown);

    internal void Note(SnapshotEntry entry)
    {
        if (entry is { ValidUntil: { } until, HasLapsed: false })
        {
            ahead[entry.Key] = until;
            nextByClock = until < nextByClock ? until : nextByClock;
            nextSettled = until < nextSettled ? until : nextSettled;
        }
        else
        {
            ahead.Remove(entry.Key);
        }

        if (entry is { ValidUntil: { } end, HasLapsed: true })
        {
            ended[entry.Key] = end;
            isShown = false;
        }
        else if (ended.Remove(entry.Key))
        {
            isShown = false;
        }
    }

    internal void Forget(string key)
    {
        ahead.Remove(key);
        if (ended.Remove(key))
            isShown = false;
    }

    internal void Clear()
    {
        ahead.Clear();
        ended.Clear();
        isShown = false;
        (nextByClock, nextSettled) = (DateTimeOffset.MaxValue, DateTimeOffset.MaxValue);
    }

    /// <summary>The keys whose end has come by the clock, where one has come since this was asked last; it may yet turn out that the clock was ahead.</summary>
    internal IReadOnlyList<string> DueByClock(DateTimeOffset now) => Due(now, ref nextByClock);

    /// <summary>The keys whose end has come for good.</summary>
    /// <param name="settled">The time that has surely come.</param>
    internal IReadOnlyList<string> DueForGood(DateTimeOffset settled) => Due(settled, ref nextSettled);

    /// <summary>Makes <see cref="Ended"/> what it is after the notes since: once after many.</summary>
    internal void Show()
    {
        if (isShown)
            return;
        isShown = true;
        Volatile.Write(ref shown, [.. ended.Select(entry => new EndedEntry(entry.Key, entry.Value))]);
    }

    private List<string> Due(DateTimeOffset time, ref DateTimeOffset next)
    {
        if (time < next)
            return [];
        next = ahead.Where(entry => entry.Value > time).Select(entry => entry.Value).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        return [.. ahead.Where(entry => entry.Value <= time).Select(entry => entry.Key)];
    }
}
