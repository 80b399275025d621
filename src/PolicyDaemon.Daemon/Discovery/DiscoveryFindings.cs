using System.Collections.Concurrent;
using System.Text;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Keeps discovery's findings in the store in line with what was found: written when they change, a moment later, and bounded.</summary>
/// <remarks>A destination without findings, which is nearly every one, costs one search in a set. What cannot be written now is tried again.</remarks>
/// <param name="store">Where findings are kept.</param>
/// <param name="current">The entries: what has one is answered by it, and discovery has nothing to say about it.</param>
/// <param name="time">The clock.</param>
internal sealed class DiscoveryFindings(DiscoveredStore store, ICurrentSnapshot current, TimeProvider time)
{
    /// <summary>The subject of findings about discovery itself.</summary>
    internal const string Itself = "discovery";

    /// <summary>More than a person reads; the others are in <c>policyctl discovery list</c>.</summary>
    internal const int MostSubjects = 1000;

    private static readonly DiscoveryScope Everything = new([]);

    private readonly ConcurrentDictionary<string, Finding[]> waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> open = new(StringComparer.Ordinal);

    /// <summary>Learns which are open.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public void Load()
    {
        foreach (var subject in store.ReadFindingSubjects())
            open.TryAdd(subject, 0);
    }

    /// <summary>Takes note of what holds of a destination now.</summary>
    public void Note(Discovered memory, IEnumerable<DiscoveryRemark> remarks)
    {
        var findings = IsEntered(memory.Key.Text) ? [] : DiscoveryRemark.Findings(remarks, memory, time.GetUtcNow());
        if (findings.IsEmpty ? !open.ContainsKey(memory.Key.Text) : open.Count >= MostSubjects && !open.ContainsKey(memory.Key.Text))
            return;
        waiting[memory.Key.Text] = [.. findings];
    }

    /// <summary>Takes note of our own trouble, or that there is none.</summary>
    public void NoteTrouble(string? trouble)
    {
        if (trouble is null && !open.ContainsKey(Itself))
            return;
        waiting[Itself] = trouble is null
            ? []
            : [new Finding(FindingKind.DiscoveryTrouble, Itself, trouble, "policyctl status", time.GetUtcNow())];
    }

    /// <summary>Writes what waits.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be written; what waits is kept.</exception>
    public async Task WriteAsync()
    {
        // An entry settles what discovery found, and no lookup asks for its verdict any more.
        foreach (var (subject, _) in open)
        {
            if (subject != Itself && IsEntered(subject))
                waiting[subject] = [];
        }

        foreach (var (subject, findings) in waiting)
        {
            await store.WriteFindingsAsync(subject, findings);
            waiting.TryRemove(new KeyValuePair<string, Finding[]>(subject, findings));
            if (findings.Length == 0)
                open.TryRemove(subject, out _);
            else
                open.TryAdd(subject, 0);
        }
    }

    /// <summary>Closes everything that is open: discovery is off, and says nothing any more.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be used.</exception>
    public static async Task CloseAllAsync(DiscoveredStore store)
    {
        foreach (var subject in store.ReadFindingSubjects())
            await store.WriteFindingsAsync(subject, []);
    }

    private bool IsEntered(string key)
    {
        if (current.Current is not { } snapshot)
            return false;
        var octets = Encoding.ASCII.GetBytes(key);
        var isEntered = snapshot.TryFind(octets, MapName.TlsPolicy, out var reply) && reply.IsInForce(time);
        return Precedence.Of(isEntered, octets, new SnapshotSources(snapshot, time, Everything)) is Origin.Entry or Origin.Parent;
    }
}
