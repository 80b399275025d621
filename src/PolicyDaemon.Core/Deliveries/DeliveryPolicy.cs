using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>The part of a policy that decides whether a server is good enough.</summary>
/// <param name="Level">The level.</param>
/// <param name="NextHop">The destination, for the names that are its own.</param>
public sealed record DeliveryPolicy(TlsLevel Level, NextHop NextHop)
{
    /// <summary>The <c>match</c> attribute; empty: the level's own names.</summary>
    public IReadOnlyCollection<string> Match { get; init; } = [];

    /// <summary>At level fingerprint: whether a served pin is of a certificate.</summary>
    public Func<ServerCertificate, bool> IsPinned { get; init; } = _ => true;

    /// <summary>The <c>protocols</c> attribute; null: what main.cf says.</summary>
    public string? Protocols { get; init; }

    /// <summary>The <c>tafile</c> attribute: only the authorities in files that are not read here count.</summary>
    public bool HasOwnAuthorities { get; init; }

    /// <summary>The policy of an entry, whose pins somebody else knows.</summary>
    public static DeliveryPolicy Of(TlsPolicy policy, NextHop nextHop)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new DeliveryPolicy(policy.Level, nextHop) { Match = policy.Match, Protocols = policy.Protocols, HasOwnAuthorities = !policy.TaFiles.IsEmpty };
    }
}
