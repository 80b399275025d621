namespace PolicyDaemon.Store.Probing;

/// <summary>Whose pins a destination is served with.</summary>
/// <param name="DestinationId">The destination's row.</param>
/// <param name="GroupId">Its MX group's row; null where the pins are its own.</param>
/// <param name="Name">The key, or the group's name.</param>
internal sealed record PinOwner(long DestinationId, long? GroupId, string Name);
