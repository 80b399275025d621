using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>What is on record about a key that waits for a decision, and about the key that it would follow: all that a verdict about it rests on.</summary>
public sealed record KeyFacts
{
    /// <summary>The pin that would be approved.</summary>
    public required Pin Pin { get; init; }

    /// <summary>The time, UTC.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>When the destination was probed last; null where never.</summary>
    public DateTimeOffset? LastProbe { get; init; }

    /// <summary>The key as it is shown; null where no probe has seen it.</summary>
    public ShownKey? New { get; init; }

    /// <summary>The trusted key that was shown in the same places before, or else anywhere last; null where none was seen.</summary>
    public ShownKey? Old { get; init; }

    /// <summary>Where the old key is shown to this day.</summary>
    public IEnumerable<ShownPlace> OldStillAt => Old?.Places.Where(place => place is { IsCurrent: true, WasShownLast: true }) ?? [];

    /// <summary>Where the old key may be shown to this day: a key of another algorithm was seen since, and nobody has asked for both.</summary>
    public IEnumerable<ShownPlace> OldPerhapsAt => Old?.Places.Where(place => place is { IsCurrent: true, WasShownLast: false }) ?? [];

    /// <summary>The open findings about the destination, and those about the prober.</summary>
    public ImmutableArray<Finding> Findings { get; init; } = [];

    /// <summary>What another destination makes of the key; null where none pins or refuses it.</summary>
    public PinElsewhere? Elsewhere { get; init; }

    /// <summary>True where DNSSEC, or a person, says which MX hosts are the destination's.</summary>
    public bool AreNamesAuthenticated { get; init; }

    /// <summary>True where a DNSSEC-secure TLSA record announces the key, whoever shows it.</summary>
    public bool IsAnnounced { get; init; }

    /// <summary>True where the certificate is accepted as it is: the pin would be one of its public key, beside one of the whole.</summary>
    public bool IsAccepted { get; init; }

    /// <summary>How the key is weaker than those that are trusted, a sentence; null where it is not.</summary>
    public string? Weakness { get; init; }
}
