namespace PolicyDaemon.Core.Findings;

/// <summary>What a person should read. The names in <see cref="FindingKinds"/> are stored and shown.</summary>
public enum FindingKind
{
    /// <summary>A miss whose bare host is configured in another form.</summary>
    NearMiss,

    /// <summary>The store cannot be opened or read: missing, locked, full disk, wrong rights.</summary>
    StoreUnavailable,

    /// <summary>The store fails its integrity check.</summary>
    StoreDamaged,

    /// <summary>The store's audit log lacks the last row that was loaded.</summary>
    StoreReplaced,

    /// <summary>An entry cannot be served as it is; it is answered as a temporary error.</summary>
    EntryNotServable,

    /// <summary>The last good snapshot could not be written to disk.</summary>
    SnapshotNotSaved,

    /// <summary>The audit chain does not verify.</summary>
    AuditBroken,

    /// <summary>A server presents a key that no pin knows.</summary>
    NewKey,

    /// <summary>Some or every address would be refused with the pins as they are.</summary>
    PinMismatch,

    /// <summary>A key that a person rejected is presented: an alarm.</summary>
    RejectedKeySeen,

    /// <summary>A server that offered STARTTLS does not any more.</summary>
    StartTlsGone,

    /// <summary>Octets in the clear behind the reply to STARTTLS.</summary>
    PlaintextInjected,

    /// <summary>A secure TLSA record exists and does not match.</summary>
    TlsaMismatch,

    /// <summary>MX records were DNSSEC-secure and are not any more.</summary>
    DnssecLost,

    /// <summary>Every key is new and the MX set is another.</summary>
    MxSetReplaced,

    /// <summary>A new key is weaker than the one it would follow.</summary>
    WeakerKey,

    /// <summary>An MX host shows new keys too often to follow by itself.</summary>
    RotatingTooOften,

    /// <summary>The only pin left was announced and never seen.</summary>
    LastPinUnseen,

    /// <summary>A pin stays because it was last seen on an address that cannot be reached.</summary>
    PinHeld,

    /// <summary>More new keys than are kept.</summary>
    TooManyKeys,

    /// <summary>A pin in another digest than the served one waits for a person.</summary>
    PinInOtherDigest,

    /// <summary>No address of a destination can be reached.</summary>
    DestinationUnreachable,

    /// <summary>Too many groups show new keys at once; nothing promotes by itself.</summary>
    BrakeOn,

    /// <summary>Our own lookups fail, or their answers are bogus.</summary>
    DnsTrouble,

    /// <summary>A resolver marked trusted does not pass its self-test.</summary>
    ResolverNotValidating,

    /// <summary>A leading-dot key has no MX of its own, and no host was named to probe.</summary>
    NothingToProbe,

    /// <summary>A destination's level, other than <c>fingerprint</c>, would not be met by some or every address.</summary>
    LevelNotMet,

    /// <summary>A resolver marked trusted is only half tested (dnssec_test_bogus = none).</summary>
    ResolverHalfTested,

    /// <summary>Findings do not reach a person by the command or the webhook.</summary>
    AlertNotDelivered,

    /// <summary>The machine's clock was set, far ahead or back.</summary>
    ClockJumped,
}
