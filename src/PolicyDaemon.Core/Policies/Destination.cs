using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>A configured next-hop destination: its policy, its pins and how they are kept current.</summary>
public sealed record Destination
{
    public required NextHop Key { get; init; }

    public required TlsPolicy Policy { get; init; }

    /// <summary>Every pin, served or not, in the order they were added.</summary>
    public ImmutableArray<Pin> Pins { get; init; } = [];

    public PinMode Mode { get; init; } = PinMode.Assist;

    /// <summary>Not enforced yet: answered as not found, while the prober reports what enforcing would do.</summary>
    public bool Observe { get; init; }

    /// <summary>At level <c>discovered</c>: the least that is taken for an answer.</summary>
    public DiscoveryFloor Floor { get; init; }

    /// <summary>When the entry ends by itself, UTC, whole seconds; null: never.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The policy that the entry comes to again at its end; null where it goes then. See <see cref="Temporary"/>.</summary>
    public FormerPolicy? Former { get; init; }

    /// <summary>MX hosts to probe for a leading-dot key; empty for those of the domain behind the dot.</summary>
    public ImmutableArray<string> ProbeAs { get; init; } = [];

    /// <summary>An administrator's note.</summary>
    public string? Note { get; init; }

    public bool Equals(Destination? other) =>
        other is not null
        && Key == other.Key
        && Policy == other.Policy
        && Pins.AsSpan().SequenceEqual(other.Pins.AsSpan())
        && Mode == other.Mode
        && Observe == other.Observe
        && Floor == other.Floor
        && Until == other.Until
        && Former == other.Former
        && ProbeAs.AsSpan().SequenceEqual(other.ProbeAs.AsSpan())
        && Note == other.Note;

    public override int GetHashCode() => HashCode.Combine(Key, Policy, Pins.Length, Mode, Observe, Note);
}
