using System.Diagnostics;
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
}

/// <summary>The names of origins, as <c>explain</c> shows them.</summary>
public static class Origins
{
    public static string Name(this Origin origin) => origin switch
    {
        Origin.None => "none",
        Origin.Entry => "entry",
        Origin.Parent => "parent",
        Origin.Discovery => "discovery",
        _ => throw new UnreachableException($"origin {(int)origin}"),
    };
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
}

/// <summary>Which source answers a key. Pure, and the one rule: the lookup path, <c>explain</c> and the status ask it.</summary>
/// <remarks>
/// <code>
/// 1  the entry with exactly this key; one that is only observed, or has lapsed, counts as absent
/// 2  the entry for the subdomains of the nearest parent: this key is not found, and Postfix goes on to that entry's key
/// 3  discovery, where it is on and the key is one that is discovered
/// 4  not found
/// </code>
/// <para>Postfix looks through all maps for a.example.com before it looks for .example.com, so whatever else answered for a.example.com
/// would hide what a person wrote for its parent.</para>
/// </remarks>
public static class Precedence
{
    /// <param name="hasEntry">An entry with this key is in force. The caller knows, as it has looked for the answer.</param>
    /// <param name="canonicalKey">The key.</param>
    /// <param name="sources">The others.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // most lookups end with the first
    public static Origin Of<TSources>(bool hasEntry, scoped ReadOnlySpan<byte> canonicalKey, TSources sources)
        where TSources : IAnswerSources =>
        hasEntry ? Origin.Entry : OfMissing(canonicalKey, sources);

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

        return sources.Discovers(canonicalKey) ? Origin.Discovery : Origin.None;
    }
}

/// <summary>A snapshot, and discovery, as what else a lookup could be answered from.</summary>
/// <param name="snapshot">The snapshot.</param>
/// <param name="time">Asked where an entry has an end, and only there.</param>
/// <param name="scope">What discovery answers for; null where it answers for nothing.</param>
/// <param name="isDiscovered">Discovery has a verdict on the key, so that the scope need not be asked.</param>
public readonly struct SnapshotSources(PolicySnapshot snapshot, TimeProvider time, DiscoveryScope? scope = null, bool isDiscovered = false) : IAnswerSources
{
    // Where nothing answers for keys without an entry a parent changes no answer, and a miss costs one search.
    public bool AsksParents => scope is not null;

    public bool Discovers(ReadOnlySpan<byte> canonicalKey) => scope is not null && (isDiscovered || scope.Includes(canonicalKey));

    public bool HasEntry(ReadOnlySpan<byte> parent) =>
        snapshot.TryFind(parent, MapName.TlsPolicy, out var reply) && reply.IsInForce(time);
}
