namespace PolicyDaemon.Core.Rotation;

/// <summary>The brake: when many pinned MX groups show a new key at once, our own network is the likelier culprit.</summary>
/// <param name="PinnedGroups">All groups with pins; a destination without a group is one of its own.</param>
/// <param name="GroupsWithNewKeys">How many of them showed a key that was new within <see cref="RotationOptions.BrakeWindow"/>.</param>
/// <param name="RoundEnded">When the last round ended: every target that was due at its start has been visited.</param>
public readonly record struct Brake(int PinnedGroups, int GroupsWithNewKeys, DateTimeOffset? RoundEnded)
{
    private readonly RotationOptions? options;

    /// <summary>Its thresholds and its wait.</summary>
    public RotationOptions Options
    {
        get => options ?? RotationOptions.Default;
        init => options = value;
    }

    /// <summary>More than 1 % of the groups, and at least 5, unless configured otherwise: nothing promotes by itself.</summary>
    public bool IsOn => GroupsWithNewKeys >= Options.BrakeAtLeast && (long)GroupsWithNewKeys * 100 > (long)PinnedGroups * Options.BrakePercent;

    /// <summary>True where a key seen at that time has waited for the end of a round, or long enough.</summary>
    public bool HasWaited(DateTimeOffset seen, DateTimeOffset now) => RoundEnded > seen || now - seen >= Options.EvidenceWait;
}
