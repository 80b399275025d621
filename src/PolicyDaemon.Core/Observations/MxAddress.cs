namespace PolicyDaemon.Core.Observations;

/// <summary>An address of an MX host of a destination, with what is remembered of it.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Listed">True while the last lookup that worked names it.</param>
/// <param name="History">What it presented.</param>
public sealed record MxAddress(string MxHost, bool Listed, AddressHistory History);
