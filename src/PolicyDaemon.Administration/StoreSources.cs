using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration;

/// <summary>The entries of the store, each read once, as sources for <see cref="Precedence"/>.</summary>
/// <param name="store">The store.</param>
/// <param name="postfix">For which Postfix.</param>
/// <param name="now">The time, UTC: an entry that has ended counts as what it has become.</param>
/// <param name="scope">What discovery answers for; null where it answers for nothing.</param>
internal sealed class StoreSources(PolicyStore store, PostfixSettings postfix, DateTimeOffset now, DiscoveryScope? scope) : IAnswerSources
{
    private const int Most = 100_000; // entries that are kept; a survey asks for those of a million destinations

    private readonly Dictionary<NextHop, Destination?> known = [];

    // A person wants to know whose entry keeps the key from being answered otherwise.
    public bool AsksParents => true;

    public bool Discovers(ReadOnlySpan<byte> canonicalKey) => scope is not null && scope.Includes(canonicalKey);

    public bool HasEntry(ReadOnlySpan<byte> parent) => RoleOf(Entry(NextHop.Parse(Encoding.ASCII.GetString(parent)))) != EntryRole.Absent;

    public bool HasDefault => RoleOf(Entry(NextHop.Default)) != EntryRole.Absent;

    /// <summary>The entry <c>*</c>; null where none is in force.</summary>
    public Destination? Everybody => Entry(NextHop.Default) is { Observe: false } everybody ? everybody : null;

    public EntryRole RoleOf(Destination? entry) => entry is null or { Observe: true } ? EntryRole.Absent
        : PolicyText.Answer(entry, postfix, MapName.TlsPolicy).Kind == LookupAnswerKind.AsDiscovered ? EntryRole.Discovers : EntryRole.Answers;

    /// <summary>The entry with this key as it is now; null where there is none.</summary>
    public Destination? Entry(NextHop key)
    {
        if (!known.TryGetValue(key, out var entry))
        {
            if (known.Count >= Most)
                known.Clear();
            known.Add(key, entry = store.Find(key)?.At(now));
        }

        return entry;
    }

    /// <summary>Where the answer to a key comes from.</summary>
    public Origin OriginOf(NextHop key) => Precedence.Of(RoleOf(Entry(key)), Encoding.ASCII.GetBytes(key.Text), this);
}
