using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>One probe of one destination: where its mail goes, what its servers showed, and what the rules make of it.</summary>
public sealed record ProbedDestination
{
    /// <summary>The destination as it was before: configured, and remembered where it was probed before.</summary>
    public required DestinationState Before { get; init; }

    /// <summary>Where its mail goes.</summary>
    public required MxResolution Resolution { get; init; }

    /// <summary>The addresses that were connected to, by MX preference, host name and address.</summary>
    public required ImmutableArray<ProbedAddress> Addresses { get; init; }

    /// <summary>Every known address as the rules saw it: those of <see cref="Addresses"/>, those that another probe of a moment ago stands in
    /// for, and those that DNS does not name any more.</summary>
    public required ImmutableArray<AddressState> States { get; init; }

    /// <summary>What the rules of the pin life cycle make of it.</summary>
    public required ProbeResult Recorded { get; init; }

    /// <summary>Targets that showed something new, which concerns every destination behind them.</summary>
    public ImmutableArray<ProbeTarget> Changed { get; init; } = [];

    /// <summary>The numbers of the brake before it; zero where nothing is stored.</summary>
    public BrakeCounts Counts { get; init; }
}

/// <summary>An address of an MX host, connected to.</summary>
/// <param name="Host">The MX host, as DNS has it.</param>
/// <param name="Observation">What the address showed, asked as Postfix would ask.</param>
/// <param name="State">The same as the rules see it.</param>
public sealed record ProbedAddress(MxHost Host, Observation Observation, AddressState State)
{
    /// <summary>What it showed to other SNI names, as the rules see it; the empty name is none.</summary>
    public ImmutableDictionary<string, AddressState> ByName { get; init; } = ImmutableDictionary<string, AddressState>.Empty;

    /// <summary>What the address showed when the MX host's name was sent (SNI); null where that was not tried.</summary>
    public Observation? Named => ByName.GetValueOrDefault(Host.Name)?.Observation;

    /// <summary>As it shows itself without SNI.</summary>
    public AddressState PlainState => ByName.GetValueOrDefault("", State);

    /// <summary>As it shows itself to the MX host's name, where that was tried; otherwise as without SNI.</summary>
    public AddressState NamedState => ByName.GetValueOrDefault(Host.Name, PlainState);

    /// <summary>As it shows itself to Postfix at dane and dane-only: to the TLSA base domain where there are usable records (RFC 7672 section 8.1).</summary>
    public AddressState DaneState => State.Tlsa == TlsaState.Usable && Host.TlsaBase is { } name
        ? State.History.Target.ServerName == name ? State : ByName.GetValueOrDefault(name, PlainState)
        : PlainState;
}
