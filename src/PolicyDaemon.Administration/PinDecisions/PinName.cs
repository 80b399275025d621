using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>How a person names a pin of an entry: its fingerprint, or enough of the beginning to tell it from the others.</summary>
/// <remarks>
/// Taken besides are what <c>pin list</c> prints (<c>632d3ed6b838c7b1...</c>), colons, and the fingerprint of the certificate where the pin is of
/// its public key or the other way round, in any digest: what a partner reads out is what <c>openssl x509 -fingerprint</c> prints.
/// </remarks>
public sealed class PinName
{
    // Eight digits are 32 bits: the few pins of an entry differ in them unless somebody wants otherwise, and then all who begin so are told.
    private const int FewestDigits = 8;

    private readonly string digits;
    private readonly Fingerprint? complete;

    private PinName(string digits, Fingerprint? complete) => (this.digits, this.complete) = (digits, complete);

    /// <summary>A whole fingerprint.</summary>
    public static PinName Of(Fingerprint fingerprint) => new(fingerprint.Hex, fingerprint);

    /// <param name="text">What a person wrote.</param>
    /// <param name="name">The name.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out PinName? name, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        name = null;
        var trimmed = text.Trim();
        if (Fingerprint.TryParse(trimmed, out var fingerprint, out reason))
        {
            name = new PinName(fingerprint.Hex, fingerprint);
            return true;
        }

        var start = trimmed.TrimEnd('.', '\u2026').Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        if (start.Length < FewestDigits && start.Length > 0 && start.All(char.IsAsciiHexDigit))
            reason = $"'{text}' has {start.Length} hexadecimal digits; a pin of an entry is named by the first {FewestDigits} or more of its fingerprint";
        if (start.Length is < FewestDigits or >= 128 || !start.All(char.IsAsciiHexDigit))
            return false;
        name = new PinName(start, null);
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
        if (complete is { } whole && (asGiven || entry.Pins.Find(whole) is not null))
            return whole;
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
        var own = entry.Pins.Where(pin => pin.Fingerprint.Hex.StartsWith(digits, StringComparison.Ordinal)).ToImmutableArray();
        if (!own.IsEmpty || probed() is not { } state)
            return own;
        return [.. entry.Pins.Where(pin => state.PresentationsOf(pin.Fingerprint)
            .Any(seen => Names(seen.Certificate).Any(name => name.StartsWith(digits, StringComparison.Ordinal))))];
    }

    private IEnumerable<string> Names(Core.Observations.ServerCertificate certificate) =>
        from algorithm in complete is { } whole ? [whole.Algorithm] : Enum.GetValues<DigestAlgorithm>()
        from subject in (PinSubject[])[PinSubject.Certificate, PinSubject.PublicKey]
        select certificate.Digest(subject, algorithm).Hex;
}
