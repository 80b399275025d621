using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Pins;

/// <summary>A fingerprint that is accepted, proposed or refused for a destination.</summary>
/// <param name="Fingerprint">The digest.</param>
/// <param name="Subject">What the fingerprint is a digest of, as far as known.</param>
/// <param name="State">The pin's state in its life cycle.</param>
/// <param name="Strength">The evidence on which the pin was trusted; null until somebody or something has trusted it.</param>
/// <param name="Since">When the pin entered <paramref name="State"/>, UTC, whole seconds.</param>
public sealed record Pin(Fingerprint Fingerprint, PinSubject Subject, PinState State, PinStrength? Strength, DateTimeOffset Since)
{
    /// <summary>True where the pin's state is a served one.</summary>
    public bool IsServed => State.IsServed();
}

/// <summary>The states of a pin's life cycle. Which of them are served says <see cref="PinNames.IsServed"/>.</summary>
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

    /// <summary>Replaced and no longer served, or a candidate that nobody trusted.</summary>
    Retired,

    /// <summary>Refused by a person, for good; seeing it again is an alarm.</summary>
    Rejected,

    /// <summary>Served once, until a person took it out of service; only a person serves it again, and seeing it is an alarm.</summary>
    Revoked,
}

/// <summary>The evidence on which a pin was trusted; shown with the pin for ever.</summary>
public enum PinStrength
{
    /// <summary>Trust on first use: a person chose to trust what was seen, without evidence of whose it is.</summary>
    Tofu,

    /// <summary>A person typed, imported or approved the fingerprint.</summary>
    Person,

    /// <summary>A WebPKI chain valid for an authenticated MX name.</summary>
    WebPki,

    /// <summary>A usable, DNSSEC-secure TLSA record.</summary>
    Dane,
}

/// <summary>What a fingerprint was taken of.</summary>
public enum PinSubject
{
    /// <summary>Not known, as of a fingerprint that a person typed; a probe that sees the server finds out.</summary>
    Unknown,

    /// <summary>The whole DER certificate.</summary>
    Certificate,

    /// <summary>The DER SubjectPublicKeyInfo; survives a renewal with the same key.</summary>
    PublicKey,
}

/// <summary>How much of a destination's pin life cycle goes by itself.</summary>
public enum PinMode
{
    /// <summary>A person decides everything.</summary>
    Locked,

    /// <summary>DANE evidence promotes, the rest is proposed.</summary>
    Assist,

    /// <summary>DANE and WebPKI evidence promote.</summary>
    Auto,
}

/// <summary>The stored names of what a pin consists of.</summary>
public static class PinNames
{
    private static readonly StoredNames<PinState> States = new(
        (PinState.Candidate, "candidate"), (PinState.Standby, "standby"), (PinState.Active, "active"),
        (PinState.Retiring, "retiring"), (PinState.Retired, "retired"), (PinState.Rejected, "rejected"),
        (PinState.Revoked, "revoked"));

    private static readonly StoredNames<PinStrength> Strengths = new(
        (PinStrength.Tofu, "tofu"), (PinStrength.Person, "person"), (PinStrength.WebPki, "webpki"), (PinStrength.Dane, "dane"));

    private static readonly StoredNames<PinSubject> Subjects = new(
        (PinSubject.Unknown, "unknown"), (PinSubject.Certificate, "certificate"), (PinSubject.PublicKey, "public-key"));

    private static readonly StoredNames<PinMode> Modes = new(
        (PinMode.Locked, "locked"), (PinMode.Assist, "assist"), (PinMode.Auto, "auto"));

    /// <summary>Every state for which <see cref="IsServed"/> holds.</summary>
    public static ImmutableArray<PinState> ServedStates { get; } = [.. Enum.GetValues<PinState>().Where(IsServed)];

    public static IReadOnlyList<string> ModeNames => Modes.All;

    public static IReadOnlyList<string> StateNames => States.All;

    public static IReadOnlyList<string> SubjectNames => Subjects.All;

    /// <summary>True for the states whose pins stand in an answer.</summary>
    public static bool IsServed(this PinState state) => state is PinState.Standby or PinState.Active or PinState.Retiring;

    /// <summary>True for the states in which a person refused the pin: only a person serves it again, and no rule moves it.</summary>
    public static bool IsRefused(this PinState state) => state is PinState.Rejected or PinState.Revoked;

    public static string Name(this PinState state) => States.Of(state);

    public static string Name(this PinStrength strength) => Strengths.Of(strength);

    public static string Name(this PinSubject subject) => Subjects.Of(subject);

    public static string Name(this PinMode mode) => Modes.Of(mode);

    public static bool TryParse([NotNullWhen(true)] string? name, out PinState state) => States.TryParse(name, out state);

    public static bool TryParse([NotNullWhen(true)] string? name, out PinStrength strength) => Strengths.TryParse(name, out strength);

    public static bool TryParse([NotNullWhen(true)] string? name, out PinSubject subject) => Subjects.TryParse(name, out subject);

    public static bool TryParse([NotNullWhen(true)] string? name, out PinMode mode) => Modes.TryParse(name, out mode);
}
