namespace PolicyDaemon.Core.Observations;

/// <summary>A target that belongs, or belonged, to an MX host of a destination.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Target">What is connected to.</param>
/// <param name="LastListed">The last resolution that named it.</param>
public sealed record MxTarget(string MxHost, ProbeTarget Target, DateTimeOffset LastListed);
