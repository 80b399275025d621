using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>A destination, visited once; nothing of it is stored.</summary>
/// <param name="Resolution">Where its mail goes.</param>
/// <param name="Addresses">Every address, by MX preference, host name and address.</param>
/// <param name="Round">What the rules of the pin life cycle make of it, as if it had been recorded.</param>
public sealed record ProbedDestination(MxResolution Resolution, ImmutableArray<ProbedAddress> Addresses, ProbeResult Round);
