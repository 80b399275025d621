namespace PolicyDaemon.Core.Rotation;

/// <summary>What the brake compares: all owners of served pins, and those that showed a new key.</summary>
public readonly record struct BrakeCounts(int PinnedGroups, int GroupsWithNewKeys);
