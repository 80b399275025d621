namespace PolicyDaemon.Core.Pins;

/// <summary>A fingerprint accepted (or refused) for a destination.</summary>
/// <param name="Fingerprint">The digest.</param>
/// <param name="Subject">What it is a digest of, as far as known.</param>
/// <param name="State">Where it is in its life.</param>
/// <param name="Strength">On what it was trusted.</param>
/// <param name="Since">When it entered <paramref name="State"/>, UTC, whole seconds.</param>
public sealed record Pin(Fingerprint Fingerprint, PinSubject Subject, PinState State, PinStrength Strength, DateTimeOffset Since)
{
    /// <summary>True in the states that stand in an answer.</summary>
    public bool IsServed => State is PinState.Standby or PinState.Active or PinState.Retiring;
}
