namespace PolicyDaemon.Core.Pins;

/// <summary>Where a pin is in its life. Served: <see cref="Standby"/>, <see cref="Active"/> and <see cref="Retiring"/>.</summary>
public enum PinState
{
    /// <summary>Seen by a probe, not trusted, never served.</summary>
    Candidate,

    /// <summary>Announced and served, not seen yet.</summary>
    Standby,

    /// <summary>Served and in use.</summary>
    Active,

    /// <summary>Replaced; still served because still seen, or within grace.</summary>
    Retiring,

    /// <summary>Replaced and no longer served.</summary>
    Retired,

    /// <summary>Refused by a person, for good; seeing it again is an alarm.</summary>
    Rejected,
}
