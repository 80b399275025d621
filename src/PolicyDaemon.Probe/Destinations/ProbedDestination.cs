using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>The result of probing one destination: the DNS resolution, the observations of its addresses, and the verdict of the rules.</summary>
public sealed record ProbedDestination
{
    /// <summary>The destination before the probe: its entry, and the state of earlier probes.</summary>
    public required DestinationState Before { get; init; }

    /// <summary>Where the mail of the destination goes, by DNS.</summary>
    public required MxResolution Resolution { get; init; }

    /// <summary>The addresses that were connected to, by MX preference, host name and address.</summary>
    public required ImmutableArray<ProbedAddress> Addresses { get; init; }

    /// <summary>The input of the rules for every address of the destination: those of <see cref="Addresses"/>, those for which an observation of
    /// a moment ago stands in, and those that DNS does not name any more.</summary>
    public required ImmutableArray<AddressState> States { get; init; }

    /// <summary>What the rules of the pin life cycle decided, as the ledger records it.</summary>
    public required ProbeResult Recorded { get; init; }

    /// <summary>Targets whose observation is new in a way that concerns every destination behind them.</summary>
    public ImmutableArray<ProbeTarget> Changed { get; init; } = [];

    /// <summary>The counts of the brake before the probe; zero where nothing is stored.</summary>
    public BrakeCounts Counts { get; init; }
}

/// <summary>An address of an MX host that was connected to.</summary>
/// <param name="Host">The MX host, as DNS has it.</param>
/// <param name="Observation">The observation of the probe, made as Postfix would connect.</param>
/// <param name="State">The input of the rules for the address.</param>
public sealed record ProbedAddress(MxHost Host, Observation Observation, AddressState State)
{
    /// <summary>The input of the rules for other SNI names, by that name; the empty name stands for a connection without SNI.</summary>
    public ImmutableDictionary<string, AddressState> ByName { get; init; } = ImmutableDictionary<string, AddressState>.Empty;

    /// <summary>The observation with the MX host's name as SNI; null where that was not tried.</summary>
    public Observation? Named => ByName.GetValueOrDefault(Host.Name)?.Observation;

    /// <summary>The state of the address without SNI.</summary>
    public AddressState PlainState => ByName.GetValueOrDefault("", State);

    /// <summary>The state of the address with the MX host's name as SNI, where that was tried; otherwise <see cref="PlainState"/>.</summary>
    public AddressState NamedState => ByName.GetValueOrDefault(Host.Name, PlainState);

    /// <summary>The state of the address as Postfix connects at dane and dane-only: with the TLSA base domain as SNI where there are usable records (RFC 7672 section 8.1).</summary>
    public AddressState DaneState => State.Tlsa == TlsaState.Usable && Host.TlsaBase is { } name
        ? State.History.Target.ServerName == name ? State : ByName.GetValueOrDefault(name, PlainState)
        : PlainState;
}
