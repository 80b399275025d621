using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>An address of an MX host, visited.</summary>
/// <param name="Host">The MX host, as DNS has it.</param>
/// <param name="Seen">What it showed, asked as Postfix would ask.</param>
/// <param name="Watched">The same as the rules see it.</param>
public sealed record ProbedAddress(MxHost Host, Observation Seen, AddressState Watched)
{
    /// <summary>What it showed when the MX host's name was sent (SNI); null where that was not tried.</summary>
    public Observation? Named { get; init; }

    /// <summary>That as the rules see it, or <see cref="Watched"/>.</summary>
    public required AddressState NamedState { get; init; }
}
