using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>The level of an entry: a TLS security level of the Postfix SMTP client, or who else decides about the destination.</summary>
/// <remarks>
/// See postconf(5), smtp_tls_security_level. The order here is Postfix's own (tls/tls_level.c) and says nothing about strength
/// across <see cref="Fingerprint"/>, <see cref="Dane"/>, <see cref="Verify"/> and <see cref="Secure"/>: levels are compared with
/// the predicates in <see cref="TlsLevels"/>, the one home of their order, never with <c>&lt;</c>. The last two are ours, and no answer ever names them.
/// </remarks>
public enum TlsLevel
{
    /// <summary>Plain text, always; Postfix ignores every attribute.</summary>
    None,

    /// <summary>Opportunistic: TLS where it is offered, plain text elsewhere.</summary>
    May,

    /// <summary>TLS or no delivery; the peer is not authenticated.</summary>
    Encrypt,

    /// <summary>The leaf certificate or its public key matches a pin.</summary>
    Fingerprint,

    /// <summary>Opportunistic DANE: falls back to <see cref="Encrypt"/> or <see cref="May"/> without usable TLSA records.</summary>
    Dane,

    /// <summary>DANE or no delivery.</summary>
    DaneOnly,

    /// <summary>A trusted chain that names, by default, the MX host (DNS is trusted).</summary>
    Verify,

    /// <summary>A trusted chain that names, by default, the next-hop destination.</summary>
    Secure,

    /// <summary>What main.cf says: the key is not found, and discovery has no say.</summary>
    Default,

    /// <summary>What the destination publishes by DANE or MTA-STS, and never less than a floor (<see cref="DiscoveryFloor"/>).</summary>
    AsDiscovered,
}

/// <summary>Names, properties and order of the TLS security levels. See TLS_README, "Client TLS security levels".</summary>
public static class TlsLevels
{
    private static readonly StoredNames<TlsLevel> Stored = new(
        (TlsLevel.None, "none"), (TlsLevel.May, "may"), (TlsLevel.Encrypt, "encrypt"), (TlsLevel.Fingerprint, "fingerprint"),
        (TlsLevel.Dane, "dane"), (TlsLevel.DaneOnly, "dane-only"), (TlsLevel.Verify, "verify"), (TlsLevel.Secure, "secure"),
        (TlsLevel.Default, "default"), (TlsLevel.AsDiscovered, "discovered"))
    {
        Comparison = StringComparison.OrdinalIgnoreCase, // as Postfix reads them
    };

    /// <summary>The names of Postfix's levels in its order, for messages and completion.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Stored.All.Where(name => TryParse(name, out var level) && level.IsOfPostfix())];

    /// <summary>The names of all levels that an entry can have.</summary>
    public static IReadOnlyList<string> EntryNames => Stored.All;

    /// <summary>The name Postfix knows the level by, or one of our own.</summary>
    public static string Name(this TlsLevel level) => Stored.Of(level);

    /// <summary>Reads the name of an entry's level. <c>halfdane</c> is output-only and no level.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out TlsLevel level) => Stored.TryParse(name, out level);

    /// <summary>Reads the name of a level that Postfix knows.</summary>
    public static bool TryParseOfPostfix([NotNullWhen(true)] string? name, out TlsLevel level) => TryParse(name, out level) && level.IsOfPostfix();

    /// <summary>True for a level that an answer can name.</summary>
    public static bool IsOfPostfix(this TlsLevel level) => level is not (TlsLevel.Default or TlsLevel.AsDiscovered);

    /// <summary>True where <c>match</c> takes peer names (separated by <c>:</c>).</summary>
    public static bool MatchesNames(this TlsLevel level) => level is TlsLevel.Verify or TlsLevel.Secure;

    /// <summary>True where <c>match</c> takes fingerprints (separated by <c>|</c>): the level that pins serve.</summary>
    public static bool MatchesFingerprints(this TlsLevel level) => level is TlsLevel.Fingerprint;

    /// <summary>True where the level itself says that TLS is used, so that attributes have a meaning.</summary>
    public static bool UsesTls(this TlsLevel level) => level is not TlsLevel.None && level.IsOfPostfix();

    /// <summary>True where the servers behind a destination are probed by themselves: what is never encrypted needs none, and what is published discovery looks after.</summary>
    public static bool IsProbed(this TlsLevel level) => level is not (TlsLevel.None or TlsLevel.AsDiscovered);

    /// <summary>What mail is certain of at this level. Of ours nothing: main.cf decides, or what is published.</summary>
    /// <remarks><c>dane</c> may come to plain text. <c>verify</c> authenticates, if a name that DNS gives.</remarks>
    public static Protection Protection(this TlsLevel level) => Strictness(level) switch
    {
        < Encrypted => Policies.Protection.PlainTextPossible,
        Encrypted => Policies.Protection.Encrypted,
        _ => Policies.Protection.Authenticated,
    };

    /// <summary>True where mail is certain of as much at this level as at the other one, at least.</summary>
    /// <remarks><code>none &lt; may &lt; dane &lt; encrypt &lt; {fingerprint, verify, secure} &lt; dane-only</code></remarks>
    public static bool IsAtLeast(this TlsLevel level, TlsLevel other) => Strictness(level) >= Strictness(other);

    /// <summary>True where this level cannot accept a delivery that the other one refuses, whatever the destination: the ladder of levels.</summary>
    /// <remarks>
    /// <code>none &lt; may &lt; encrypt &lt; {fingerprint, secure} &lt; dane-only</code>
    /// Not on the ladder are <c>dane</c>, which may collapse to <c>may</c>, and <c>verify</c>, which trusts DNS: a change to or from
    /// them is compared with nothing. <c>dane-only</c> is its end: what follows it depends on the destination's DNSSEC.
    /// </remarks>
    public static bool IsAbove(this TlsLevel level, TlsLevel other) =>
        IsOnLadder(level) && IsOnLadder(other) && Strictness(level) > Strictness(other);

    private const int Encrypted = 3;

    private static int Strictness(TlsLevel level) => level switch
    {
        TlsLevel.May => 1,
        TlsLevel.Dane => 2,
        TlsLevel.Encrypt => Encrypted,
        TlsLevel.Fingerprint or TlsLevel.Verify or TlsLevel.Secure => 4,
        TlsLevel.DaneOnly => 5,
        _ => 0,
    };

    private static bool IsOnLadder(TlsLevel level) => level.IsOfPostfix() && level is not (TlsLevel.Dane or TlsLevel.Verify);
}

/// <summary>What mail is certain of, whatever the server does: in this order.</summary>
public enum Protection
{
    /// <summary>Mail may leave in plain text.</summary>
    PlainTextPossible,

    /// <summary>Mail is encrypted, to whoever answers.</summary>
    Encrypted,

    /// <summary>Mail is encrypted, to a server that proved its identity.</summary>
    Authenticated,
}
