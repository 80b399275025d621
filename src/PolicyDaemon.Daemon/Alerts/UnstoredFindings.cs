using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Findings that the store cannot hold, because it is what is wrong: what people were told of them is kept in memory.</summary>
/// <remarks>Their ids are negative, so that nobody takes them for the store's.</remarks>
internal sealed class UnstoredFindings
{
    /// <summary>A store that is locked for a moment wakes nobody up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(FindingKind Kind, string Subject, string? Node), FindingAlert> known = [];
    private long lastId;

    /// <summary>Takes over what is wrong now.</summary>
    /// <param name="present">The loader's findings.</param>
    /// <param name="stored">What the store holds; empty where it cannot be read.</param>
    /// <param name="now">The time.</param>
    /// <returns>What of it people should hear of, or hear that it is over.</returns>
    public IReadOnlyList<FindingAlert> Update(IReadOnlyCollection<Finding> present, IReadOnlyCollection<FindingAlert> stored, DateTimeOffset now)
    {
        var inStore = stored.Where(finding => finding.Closed is null)
            .Select(finding => (finding.Finding.Kind, finding.Finding.Subject, finding.Finding.Node)).ToHashSet();
        var open = new HashSet<(FindingKind, string, string?)>();
        foreach (var finding in present.Where(finding => !inStore.Contains((finding.Kind, finding.Subject, finding.Node)) && now - finding.Since >= Patience))
        {
            var key = (finding.Kind, finding.Subject, finding.Node);
            open.Add(key);
            // What comes back before anybody heard of its end has not ended.
            known[key] = known.TryGetValue(key, out var before) ? before with { Closed = null } : new FindingAlert(--lastId, finding, 1, now, null, null, 0);
        }

        foreach (var (key, finding) in known.Where(pair => !open.Contains(pair.Key)).ToList())
        {
            // What nobody was told of needs no end; what the store holds now is told of from there.
            if (finding.Notified is null || inStore.Contains(key))
                known.Remove(key);
            else
                known[key] = finding with { Closed = finding.Closed ?? now };
        }

        return [.. known.Values];
    }

    /// <summary>What the store holds now and people have heard of already.</summary>
    public FindingAlert? ToldOf(FindingAlert stored) =>
        stored.Notified is null && known.TryGetValue((stored.Finding.Kind, stored.Finding.Subject, stored.Finding.Node), out var told) && told is { Notified: not null, Closed: null }
            ? told
            : null;

    public void MarkNotified(long id, DateTimeOffset at, int escalation) =>
        Change(id, finding => finding with { Notified = finding.Notified ?? at, Escalation = Math.Max(finding.Escalation, escalation) });

    public void MarkRecovered(long id)
    {
        foreach (var (key, _) in known.Where(pair => pair.Value.Id == id).ToList())
            known.Remove(key);
    }

    private void Change(long id, Func<FindingAlert, FindingAlert> change)
    {
        foreach (var (key, finding) in known.Where(pair => pair.Value.Id == id).ToList())
            known[key] = change(finding);
    }
}
