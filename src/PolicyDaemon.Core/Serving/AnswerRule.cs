using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Whose answer a lookup is told.</summary>
public enum Answerer
{
    /// <summary>Nobody's: the key is not found.</summary>
    Nobody,

    /// <summary>The key's own entry's.</summary>
    Entry,

    /// <summary>The temporary error for a near miss (<c>near_miss = temp</c>).</summary>
    NearMiss,

    /// <summary>The temporary error of the key's entry, which takes more than what was discovered.</summary>
    BelowFloor,

    /// <summary>Discovery's.</summary>
    Discovery,

    /// <summary>The entry <c>*</c>'s.</summary>
    Default,
}

/// <summary>What discovery would answer a key.</summary>
/// <param name="Kind">The kind of its answer.</param>
/// <param name="Verdict">The verdict; null where nothing is known of the destination.</param>
public readonly record struct DiscoverySide(LookupAnswerKind Kind, DiscoveredAnswer? Verdict);

/// <summary>What the entry <c>*</c> would answer a bare domain.</summary>
/// <param name="Kind">The kind of its answer.</param>
/// <param name="Protection">What mail is certain of by it.</param>
public readonly record struct DefaultSide(LookupAnswerKind Kind, Protection Protection);

/// <summary>Decides whose answer a lookup is told, once the origin is known: for the lookup path and for <c>explain</c>, in one place. Pure.</summary>
/// <remarks>
/// <code>
/// entry                            its answer
/// near miss, near_miss = temp      a temporary error, wherever else the answer would come from
/// discovery, for an entry          what was discovered, where that is as much as the entry's floor, otherwise its temporary error
/// discovery, or *                  of a bare domain the stricter of both; of two that are equally strict the destination's own
/// </code>
/// </remarks>
/// <param name="Origin">The origin, see <see cref="Precedence"/>.</param>
/// <param name="Role">The role of the key's entry.</param>
/// <param name="Floor">The floor of the key's entry.</param>
/// <param name="IsNearMiss">The key is not configured, and its bare host is in another form.</param>
/// <param name="Postfix">For which Postfix.</param>
public readonly record struct AnswerRule(Origin Origin, EntryRole Role, DiscoveryFloor Floor, bool IsNearMiss, PostfixSettings Postfix)
{
    /// <summary>Whose answer it is whatever discovery knows; null where that decides, so that a lookup may have to wait for it.</summary>
    public Answerer? WithoutDiscovery =>
        Origin == Origin.Entry ? Answerer.Entry : IsNearMiss && Postfix.NearMiss == NearMissAnswer.Temporary ? Answerer.NearMiss : null;

    /// <param name="canonicalKey">The key.</param>
    /// <param name="discovery">What discovery would answer; null where it is off or only observes.</param>
    /// <param name="everybody">What the entry <c>*</c> would answer; null where none is in force.</param>
    public Answerer Of(scoped ReadOnlySpan<byte> canonicalKey, DiscoverySide? discovery, DefaultSide? everybody)
    {
        if (WithoutDiscovery is { } decided)
            return decided;
        if (Origin == Origin.Discovery && Role == EntryRole.Discovers)
            return !IsFloorMet(Floor, discovery?.Verdict, Postfix.SecurityLevel) ? Answerer.BelowFloor : OfDiscovery(discovery);
        if (Origin is not (Origin.Discovery or Origin.Default))
            return Answerer.Nobody;
        if (everybody is { } other && LookupKey.IsBareDomain(canonicalKey) && IsStricter(other, Origin == Origin.Discovery ? discovery : null))
            return Answerer.Default;
        return OfDiscovery(Origin == Origin.Discovery ? discovery : null);
    }

    // A verdict may be older than what main.cf says now.
    private Answerer OfDiscovery(DiscoverySide? discovery) =>
        discovery is not { } side || (side.Verdict is { } known && !known.Level(Postfix.SecurityLevel).IsAtLeast(Postfix.SecurityLevel))
            ? Answerer.Nobody
            : Answerer.Discovery;

    /// <summary>True where what was discovered is as much as the floor of the key's entry; otherwise mail waits.</summary>
    /// <param name="floor">The floor.</param>
    /// <param name="verdict">The verdict; null where nothing is known of the destination.</param>
    /// <param name="securityLevel">What "not found" amounts to.</param>
    public static bool IsFloorMet(DiscoveryFloor floor, DiscoveredAnswer? verdict, TlsLevel securityLevel) =>
        floor == DiscoveryFloor.None || (verdict is { } known && floor.IsMetBy(known.Level(securityLevel)));

    // What * cannot say for the time being nobody may say in its place.
    private static bool IsStricter(DefaultSide everybody, DiscoverySide? discovery)
    {
        if (discovery is not { } discovered || discovered.Kind == LookupAnswerKind.NotFound)
            return true;
        return discovered.Kind != LookupAnswerKind.Temporary
            && (everybody.Kind != LookupAnswerKind.Found
                || (discovered.Verdict ?? DiscoveredAnswer.NotFound).Level(TlsLevel.None).Protection() < everybody.Protection);
    }
}
