using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Findings;

/// <summary>The kinds of findings. What each means, who opens it and what to do is a row of <see cref="FindingKinds"/>.</summary>
public enum FindingKind
{
    NearMiss,
    StoreUnavailable,
    StoreDamaged,
    StoreReplaced,
    EntryNotServable,
    SnapshotNotSaved,
    AuditBroken,
    NewKey,
    PinMismatch,
    RejectedKeySeen,
    StartTlsGone,
    PlaintextInjected,
    TlsaMismatch,
    DnssecLost,
    MxSetReplaced,
    WeakerKey,
    RotatingTooOften,
    PinHeld,
    TooManyKeys,
    PinInOtherDigest,
    DestinationUnreachable,
    BrakeOn,
    DnsTrouble,
    ResolverNotValidating,
    NothingToProbe,
    LevelNotMet,
    ResolverHalfTested,
    AlertNotDelivered,
    ClockJumped,
    NetworkTrouble,
    PolicyCoversNone,
    PolicyNotRenewed,
    PolicyLapsed,
    AnswerTooLong,
    DiscoveryTrouble,
    RevokedKeySeen,
    EntryEnded,
    FloorNotMet,
    PinBesideDane,
    PinBesidePolicy,
    EntryBelowPublished,
    ExemptionOutlived,
    NodeStale,
    NodeClock,
    NodeDigest,
    NodeVersion,
    NodeTwice,
    ConfigurationUnusable,
    DeliveryDeferred,
    NobodyProbes,
}

/// <summary>The part of the program that opens findings of a kind, and closes them when they no longer hold.</summary>
[Flags]
public enum FindingSource
{
    None = 0,

    /// <summary>A probe of the destination that is the finding's subject: the next one without the finding closes it, and so does removing the destination.</summary>
    Probe = 1,

    /// <summary>The prober, about itself.</summary>
    Prober = 2,

    /// <summary>The loader, about the store as a whole; one of its kinds holds at a time.</summary>
    Store = 4,

    /// <summary>The loader, about what it loads and keeps.</summary>
    Snapshot = 8,

    /// <summary>Lookups.</summary>
    Lookup = 16,

    /// <summary>The alerts, about a channel of theirs.</summary>
    Alert = 32,

    /// <summary>Discovery, about a destination without an entry or about itself.</summary>
    Discovery = 64,

    /// <summary>The entries: what became of one, and what it stands against.</summary>
    Entry = 128,

    /// <summary>Whoever holds the lease, about the nodes over one store on a server.</summary>
    Fleet = 256,

    /// <summary>Whoever asks for the status, about what only the asker sees: the configuration as it is now, the queue of Postfix. Such a finding is never
    /// stored, and nobody is alerted.</summary>
    Status = 512,
}

/// <summary>What a finding means for mail.</summary>
public enum FindingSeverity
{
    /// <summary>Mail is deferred now.</summary>
    MailWaits,

    /// <summary>Mail will be deferred unless somebody acts.</summary>
    MailWillWait,

    /// <summary>A person has to judge it; mail is not affected, or not by this alone.</summary>
    LookAtIt,

    /// <summary>Nothing has to be done.</summary>
    ForInformation,
}

/// <summary>The shown names of severities.</summary>
public static class FindingSeverities
{
    private static readonly StoredNames<FindingSeverity> Names = new(
        (FindingSeverity.MailWaits, "mail-waits"), (FindingSeverity.MailWillWait, "mail-will-wait"),
        (FindingSeverity.LookAtIt, "look-at-it"), (FindingSeverity.ForInformation, "for-information"));

    public static string Name(this FindingSeverity severity) => Names.Of(severity);

    public static bool TryParse([NotNullWhen(true)] string? name, out FindingSeverity severity) => Names.TryParse(name, out severity);
}

/// <summary>All there is to know about a kind of finding.</summary>
/// <param name="Name">The stored and shown name.</param>
/// <param name="Source">Who opens and closes findings of the kind.</param>
/// <param name="Severity">What it means for mail.</param>
/// <param name="Meaning">What was found, a sentence without a full stop.</param>
/// <param name="WhatToDo">What a person does about it; a finding's own remedy is the exact command.</param>
public sealed record FindingDescription(
    FindingKind Kind, string Name, FindingSource Source, FindingSeverity Severity, string Meaning, string WhatToDo)
{
    /// <summary>What becomes of mail meanwhile, a sentence without a full stop.</summary>
    public required string Mail { get; init; }

    /// <summary>The words to the partner; null where the cause is not the partner's.</summary>
    public string? Partner { get; init; }

    /// <summary>The source puts the opening and the end into the journal by itself, so that the alerts leave them out.</summary>
    public bool IsJournalledBySource { get; init; }

    /// <summary>The verdict of the destination's last probe makes it graver: mail waits where every address would be refused, and will wait where some would.</summary>
    public bool FollowsVerdict { get; init; }

    /// <summary>While it is open an attack is not excluded: no remedy approves or revokes a pin, and a person who does says why.</summary>
    public bool IsSuspicious { get; init; }

    /// <summary>Such a finding follows from what is suspicious about the same destination: while that is open, this one is part of it and not told.</summary>
    public bool FollowsSuspicion { get; init; }

    /// <summary>Such a finding says what <see cref="FindingKind.NewKey"/> would, and why the new key takes more care: one of them is open about a destination.</summary>
    public bool IsGraverNewKey { get; init; }

    /// <summary>Nothing is wrong, and something else would be better: it is shown to whoever asks, is not counted among what needs a person, and nobody is alerted.</summary>
    public bool IsAdvice { get; init; }

    /// <summary>False where only a person ends it: what was found does not become untrue.</summary>
    public bool EndsByItself { get; init; } = true;
}
