namespace PolicyDaemon.Store.Probing;

/// <summary>A row of probe_listing.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="TargetId">The target's row.</param>
/// <param name="Target">The target's name.</param>
/// <param name="LastListed">Null while the last lookup that worked names it.</param>
internal sealed record Listing(string MxHost, long TargetId, string Target, long? LastListed);
