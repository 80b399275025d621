using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>How a person names a pin of an entry: its fingerprint, or enough of the beginning to tell it from the others.</summary>
/// <remarks>
/// Taken besides are what <c>pin list</c> prints (<c>632d3ed6b838c7b1...</c>), colons, groups of four, a digest in front (<c>sha256:</c>,
/// <c>SHA256 Fingerprint=</c>), and the fingerprint of the certificate where the pin is of its public key or the other way round, in any digest:
/// what a partner reads out is what <c>openssl x509 -fingerprint</c> prints.
/// </remarks>
public sealed class PinName
{
    // Eight digits are 32 bits: the few pins of an entry differ in them unless somebody wants otherwise, and then all who begin so are told.
    private const int FewestDigits = 8;

    private readonly string digits;
    private readonly Fingerprint? complete;

    // Null where it is not said: as many digits as a shorter digest has may be the beginning of a longer one.
    private readonly DigestAlgorithm? algorithm;

    private PinName(string given, string digits, Fingerprint? complete, DigestAlgorithm? algorithm) =>
        (Given, this.digits, this.complete, this.algorithm) = (given, digits, complete, algorithm);

    /// <summary>The name as it was written.</summary>
    public string Given { get; }

    /// <summary>True for a whole fingerprint.</summary>
    public bool IsWhole => complete is not null;

    /// <summary>A whole fingerprint.</summary>
    public static PinName Of(Fingerprint fingerprint) => new(fingerprint.Hex, fingerprint.Hex, fingerprint, fingerprint.Algorithm);

    /// <summary>Reads a whole fingerprint in any of the forms in which a pin is named.</summary>
    /// <param name="text">What a person wrote.</param>
    /// <param name="fingerprint">The fingerprint.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParseWhole(string text, out Fingerprint fingerprint, [NotNullWhen(false)] out string? reason)
    {
        fingerprint = default;
        if (!TryParse(text, out var name, out reason))
            return false;
        if (name.complete is not { } whole)
        {
            reason = $"'{name.Given}' is the beginning of a fingerprint; write all of it";
            return false;
        }

        fingerprint = whole;
        return true;
    }

    /// <summary>Reads a fingerprint, or the beginning of one.</summary>
    /// <param name="text">What a person wrote.</param>
    /// <param name="name">The name.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out PinName? name, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        name = null;
        var given = text.Trim();
        var (named, rest) = WithoutDigest(given);
        var trimmed = string.Concat(rest.Where(character => !char.IsWhiteSpace(character)));
        if (Fingerprint.TryParse(trimmed, out var fingerprint, out reason))
        {
            if (named is { } digest && digest != fingerprint.Algorithm)
            {
                reason = $"'{given}' is called {digest.Name()} and has as many digits as {fingerprint.Algorithm.Name()}";
                return false;
            }

            name = new PinName(given, fingerprint.Hex, fingerprint, named);
            return true;
        }

        var start = trimmed.TrimEnd('.', '\u2026').Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        if (start.Length < FewestDigits && start.Length > 0 && start.All(char.IsAsciiHexDigit))
            reason = $"'{text}' has {start.Length} hexadecimal digits; a pin of an entry is named by the first {FewestDigits} or more of its fingerprint";
        if (!start.All(char.IsAsciiHexDigit))
            reason = $"'{ShownText.Escape(given.Length <= 60 ? given : given[..60] + "...")}' is not hexadecimal; write the fingerprint as openssl x509 -noout -fingerprint -sha256 prints it, or its digits alone";
        if (start.Length is < FewestDigits or >= 128 || !start.All(char.IsAsciiHexDigit))
            return false;
        name = new PinName(given, start, null, named);
        reason = null;
        return true;
    }

    /// <summary>The fingerprint of the pin that is meant.</summary>
    /// <param name="entry">The entry that has it.</param>
    /// <param name="probed">What probes saw of the entry.</param>
    /// <param name="asGiven">A whole fingerprint is taken as it is: one that is to be added need not be of any pin.</param>
    /// <exception cref="RefusedException">No pin is named so, or several.</exception>
    public Fingerprint In(Destination entry, Func<ProbeState?> probed, bool asGiven)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (complete is { } whole)
        {
            if (entry.Pins.Find(whole) is not null)
                return whole;
            if (asGiven)
                return entry.Pins.Where(pin => Names(pin.Fingerprint)).ToList() is [var longer] ? longer.Fingerprint : whole;
        }

        return Of(entry, probed) switch
        {
            [var pin] => pin.Fingerprint,
            [] => complete ?? throw new RefusedException(
                Refusal.NoSuchPin, $"{entry.Key} has no pin whose fingerprint begins with {digits}; see: policyctl pin list {Core.Destinations.Shell.Quote(entry.Key.Text)}"),
            var several => throw new RefusedException(
                Refusal.NoSuchPin, $"{digits} names {several.Length} pins of {entry.Key}; write one of them as it is", [.. several.Select(pin => pin.Fingerprint.Hex)]),
        };
    }

    /// <summary>The pins of an entry that have this name.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="probed">What probes saw of it.</param>
    public ImmutableArray<Pin> Of(Destination entry, Func<ProbeState?> probed)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(probed);
        var own = entry.Pins.Where(pin => Names(pin.Fingerprint)).ToImmutableArray();
        if (!own.IsEmpty || probed() is not { } state)
            return own;
        return [.. entry.Pins.Where(pin => state.PresentationsOf(pin.Fingerprint).Any(seen => SubjectIn(seen.Certificate) is not null))];
    }

    /// <summary>Says which pin a fingerprint stands for that is another one's of the same certificate.</summary>
    /// <param name="pin">The pin that is meant.</param>
    /// <param name="probed">What probes saw of the entry.</param>
    /// <returns>A sentence; null where the name is of the pin itself.</returns>
    public string? Remark(Fingerprint pin, Func<ProbeState?> probed)
    {
        ArgumentNullException.ThrowIfNull(probed);
        if (Names(pin) || probed() is not { } state)
            return null;
        return state.PresentationsOf(pin)
            .Select(seen => SubjectIn(seen.Certificate) is not { } subject ? null : subject == seen.Subject
                ? $"{Given} is the same fingerprint in another digest; the pin is {pin}"
                : $"{Given} is the fingerprint of the {Thing(subject)}; the pin is of its {Thing(seen.Subject)}: {pin}")
            .OfType<string>().FirstOrDefault();
    }

    private bool Names(Fingerprint fingerprint) =>
        (algorithm is null || algorithm == fingerprint.Algorithm) && fingerprint.Hex.StartsWith(digits, StringComparison.Ordinal);

    /// <summary>What of a certificate has a fingerprint of this name.</summary>
    private PinSubject? SubjectIn(ServerCertificate certificate)
    {
        foreach (var subject in (PinSubject[])[PinSubject.Certificate, PinSubject.PublicKey])
        {
            if (DigestAlgorithms.All.Any(digest => Names(certificate.Digest(subject, digest))))
                return subject;
        }

        return null;
    }

    private static string Thing(PinSubject subject) => subject == PinSubject.Certificate ? "certificate" : "public key";

    /// <summary>Takes the digest off: <c>sha256:</c> as many programs write it, <c>SHA256 Fingerprint=</c> of openssl x509, <c>SHA2-256(stdin)= </c> of openssl dgst.</summary>
    private static (DigestAlgorithm? Digest, string Digits) WithoutDigest(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var end = equals >= 0 ? equals : text.IndexOf(':', StringComparison.Ordinal);
        if (end < 0)
            return (null, text);
        var before = text[..end].Trim();
        if (equals >= 0 && before.EndsWith("fingerprint", StringComparison.OrdinalIgnoreCase))
            before = before[..^"fingerprint".Length].Trim();
        if (before.IndexOf('(', StringComparison.Ordinal) is var bracket and > 0)
            before = before[..bracket];
        if (before.StartsWith("sha2-", StringComparison.OrdinalIgnoreCase))
            before = "sha" + before["sha2-".Length..];
        if (DigestAlgorithms.TryParse(before, out var digest))
            return (digest, text[(end + 1)..]);
        return equals >= 0 && before.Length == 0 ? (null, text[(end + 1)..]) : (null, text);
    }
}
