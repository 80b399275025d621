namespace PolicyDaemon.Probe.Destinations;

/// <summary>Why a destination is probed.</summary>
public enum ProbeReason
{
    /// <summary>Its time has come.</summary>
    Scheduled,

    /// <summary>What waited for the end of a pass can be decided.</summary>
    Reconsider,

    /// <summary>An address that it shares showed something new.</summary>
    Shared,

    /// <summary>A new key was seen elsewhere: is it our own network?</summary>
    Sample,

    /// <summary>Postfix asked for it and the last probe is old.</summary>
    Lookup,

    /// <summary>A person wants to know.</summary>
    Person,
}
