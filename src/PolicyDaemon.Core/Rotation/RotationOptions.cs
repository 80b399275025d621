namespace PolicyDaemon.Core.Rotation;

/// <summary>The times and numbers of the pin life cycle; policydaemon.conf(5), [probe].</summary>
public sealed record RotationOptions
{
    public static readonly RotationOptions Default = new();

    /// <summary>Evidence B: a probe in each of so many parts of the hold-down; a longer gap begins it anew.</summary>
    public const int HoldDownParts = 4;

    /// <summary>Evidence B: over how long a WebPKI certificate must have been seen.</summary>
    public TimeSpan HoldDown { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Evidence B: in how many probes at least.</summary>
    public int HoldDownProbes { get; init; } = 3;

    /// <summary>Active to retiring: for how long every known address has presented another served key.</summary>
    public TimeSpan RetireAfter { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Active to retiring: in how many probes of each.</summary>
    public int RetireAfterProbes { get; init; } = 3;

    /// <summary>Retiring to retired: for how long unseen.</summary>
    public TimeSpan RetireGrace { get; init; } = TimeSpan.FromDays(14);

    /// <summary>After how long an announced key that was never seen goes, and a candidate that nobody presents any more.</summary>
    public TimeSpan StandbyExpiry { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long evidence A waits at most, so that the brake can see first.</summary>
    public TimeSpan EvidenceWait { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the brake stays set.</summary>
    public TimeSpan BrakeWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>More than this part of the MX hosts probed within an hour sets the brake.</summary>
    public int BrakePercent { get; init; } = 10;

    /// <summary>Fewer MX hosts than this never set it.</summary>
    public int BrakeAtLeast { get; init; } = 5;
}
