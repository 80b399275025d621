using System.Runtime.CompilerServices;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Where the answer to a key comes from.</summary>
public enum Origin
{
    /// <summary>From nowhere: not found, so that Postfix uses its own smtp_tls_security_level.</summary>
    None,

    /// <summary>From the entry with this key.</summary>
    Entry,

    /// <summary>From an entry for a parent's subdomains: this key is not found, so that Postfix goes on to that entry's key.</summary>
    Parent,

    /// <summary>From discovery: what the destination publishes by DANE or MTA-STS.</summary>
    Discovery,

    /// <summary>From the entry <c>*</c>, for every bare domain that nothing else answers for.</summary>
    Default,
}

/// <summary>The names of origins, as <c>explain</c> shows them.</summary>
public static class Origins
{
    private static readonly StoredNames<Origin> Names = new(
        (Origin.None, "none"), (Origin.Entry, "entry"), (Origin.Parent, "parent"), (Origin.Discovery, "discovery"), (Origin.Default, "default"));

    public static string Name(this Origin origin) => Names.Of(origin);
}

/// <summary>What <see cref="Precedence"/> asks for beside the key's own entry.</summary>
public interface IAnswerSources
{
    /// <summary>False where it makes no difference whether a parent has an entry, because nothing else could answer for the key.</summary>
    bool AsksParents { get; }

    /// <summary>True where an entry with this key, a parent's, is in force.</summary>
    bool HasEntry(ReadOnlySpan<byte> parent);

    /// <summary>True where discovery answers for a key without an entry.</summary>
    bool Discovers(ReadOnlySpan<byte> canonicalKey);

    /// <summary>True where an entry <c>*</c> is in force.</summary>
    bool HasDefault { get; }
}

/// <summary>Which source answers a key. Pure, and the one rule: the lookup path, <c>explain</c>, discovery and the status ask it.</summary>
/// <remarks>
/// <code>
/// 1  the entry with exactly this key; one that is only observed, or has lapsed, counts as absent. At level discovered it hands on to 3,
///    and says what is the least that is taken
/// 2  the entry for the subdomains of the nearest parent: this key is not found, and Postfix goes on to that entry's key
/// 3  discovery, where it is on and the key is one that is discovered
/// 4  the entry *, for a bare domain; where discovery has an answer, too, the stricter of both
/// 5  not found
/// </code>
/// <para>Whose answer it is in the end, near misses, floors and the stricter of two included, says <see cref="AnswerRule"/>.</para>
/// <para>Postfix looks through all maps for a.example.com before it looks for .example.com, so whatever else answered for a.example.com
/// would hide what a person wrote for its parent.</para>
/// </remarks>
public static class Precedence
{
    /// <param name="role">What the entry with this key does. The caller knows, as it has looked for the answer.</param>
    /// <param name="canonicalKey">The key.</param>
    /// <param name="sources">The others.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // most lookups end with the first
    public static Origin Of<TSources>(EntryRole role, scoped ReadOnlySpan<byte> canonicalKey, TSources sources)
        where TSources : IAnswerSources =>
        role == EntryRole.Answers ? Origin.Entry : role == EntryRole.Discovers ? Origin.Discovery : OfMissing(canonicalKey, sources);

    private static Origin OfMissing<TSources>(scoped ReadOnlySpan<byte> canonicalKey, TSources sources)
        where TSources : IAnswerSources
    {
        if (sources.AsksParents)
        {
            for (var parent = LookupKey.Parent(canonicalKey); !parent.IsEmpty; parent = LookupKey.Parent(parent))
            {
                if (sources.HasEntry(parent))
                    return Origin.Parent;
            }
        }

        return sources.Discovers(canonicalKey) ? Origin.Discovery
            : sources.HasDefault && LookupKey.IsBareDomain(canonicalKey) ? Origin.Default
            : Origin.None;
    }
}

/// <summary>A snapshot, and discovery, as what else a lookup could be answered from.</summary>
/// <param name="snapshot">The snapshot.</param>
/// <param name="time">Asked where an entry has an end, and only there.</param>
/// <param name="scope">What discovery answers for; null where it answers for nothing.</param>
/// <param name="isDiscovered">Discovery has a verdict on the key, which is one of those in the scope, so that the scope need not be asked.</param>
public readonly struct SnapshotSources(PolicySnapshot snapshot, TimeProvider time, DiscoveryScope? scope = null, bool isDiscovered = false) : IAnswerSources
{
    // Where nothing answers for keys without an entry a parent changes no answer, and a miss costs one search.
    public bool AsksParents => scope is not null || HasDefault;

    public bool HasDefault => snapshot.TryFindDefault(MapName.TlsPolicy, time, out _);

    public bool Discovers(ReadOnlySpan<byte> canonicalKey) => scope is not null && (isDiscovered || scope.Includes(canonicalKey));

    public bool HasEntry(ReadOnlySpan<byte> parent) =>
        snapshot.TryFind(parent, MapName.TlsPolicy, time, out var reply) && reply.Role != EntryRole.Absent;
}
