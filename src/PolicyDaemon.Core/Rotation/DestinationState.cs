using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A destination as the ledger hands it to the prober: its configuration, and the state of its probes.</summary>
public sealed record DestinationState
{
    private readonly NextHop? entry;

    public required NextHop Key { get; init; }

    /// <summary>The configured entry that answers for <see cref="Key"/>, for the commands that findings name: the key itself, or its
    /// parent where <c>check</c> asks for a subdomain.</summary>
    public NextHop Entry
    {
        get => entry ?? Key;
        init => entry = value;
    }

    public required TlsPolicy Policy { get; init; }

    public required PinMode Mode { get; init; }

    /// <summary>The entry is only observed: Postfix is told nothing of it, so that what is found holds up no mail.</summary>
    public bool Observe { get; init; }

    public required ImmutableArray<Pin> Pins { get; init; }

    /// <summary>Hosts to probe for a leading-dot key.</summary>
    public ImmutableArray<string> ProbeAs { get; init; } = [];

    /// <summary>The policy that discovery would answer with, were there no entry; null where nothing is published, or that is not known.</summary>
    public TlsPolicy? Published { get; init; }

    /// <summary>At level <c>default</c>: since when it is exempt from discovery.</summary>
    public DateTimeOffset? ExemptSince { get; init; }

    /// <summary>The entry ends by itself.</summary>
    public bool IsTemporary { get; init; }

    /// <summary>When the destination was probed last, whatever the outcome.</summary>
    public DateTimeOffset? LastProbe { get; init; }

    /// <summary>When the next probe is due.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>The last resolution of the MX hosts that worked; null before the first.</summary>
    public MxResolution? LastResolution { get; init; }

    /// <summary>The MX hosts at the time a served pin was last seen; null where none ever was.</summary>
    public ImmutableSortedSet<string>? TrustedHosts { get; init; }

    /// <summary>Since when each resolution found the MX records secure; null where the last one did not.</summary>
    public DateTimeOffset? SecureSince { get; init; }

    /// <summary>The MX records have been secure at some time.</summary>
    public bool WasSecure { get; init; }

    /// <summary>When the machine's clock was last set by much; null where that is not known.</summary>
    public DateTimeOffset? ClockSetAt { get; init; }

    /// <summary>Who rejected or revoked pins, when and why.</summary>
    public ImmutableArray<PinRefusal> Refusals { get; init; } = [];

    /// <summary>The targets of the MX hosts, current and earlier.</summary>
    public ImmutableArray<MxTarget> Targets { get; init; } = [];

    /// <summary>This state for a clock that shows <paramref name="now"/>. A probe that is later was recorded by a clock that was ahead and
    /// counts as never made; what it found stays, with the present as its time.</summary>
    public DestinationState AsOf(DateTimeOffset now) => LastProbe is not { } last || last <= now
        ? this
        : this with
        {
            LastProbe = null,
            NextDue = null,
            LastResolution = LastResolution is { } resolution && resolution.At > now ? resolution with { At = now } : LastResolution,
            SecureSince = SecureSince > now ? now : SecureSince,
            Targets = [.. Targets.Select(target => target.LastListed > now ? target with { LastListed = now } : target)],
        };
}
