using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace PolicyDaemon.Core.Pins;

/// <summary>A digest of a whole DER certificate or of a DER SubjectPublicKeyInfo, as Postfix compares it.</summary>
/// <remarks>
/// Postfix tries every pin against both digests of the peer's leaf certificate (tls/tls_dane.c), so a fingerprint that a
/// person typed need not say which of the two it is. Two fingerprints are equal when algorithm and octets are.
/// </remarks>
public readonly record struct Fingerprint
{
    private readonly string? hex;

    private Fingerprint(DigestAlgorithm algorithm, string hex)
    {
        Algorithm = algorithm;
        this.hex = hex;
    }

    public DigestAlgorithm Algorithm { get; }

    /// <summary>Lower-case hexadecimal without colons: how fingerprints are stored and served.</summary>
    public string Hex => hex ?? throw new InvalidOperationException("an empty fingerprint");

    /// <summary>Upper-case hexadecimal with colons: how Postfix and OpenSSL print it.</summary>
    public string ToDisplayString() =>
        string.Join(':', Hex.ToUpperInvariant().Chunk(2).Select(pair => new string(pair)));

    public override string ToString() => Hex;

    /// <summary>
    /// Reads hexadecimal in any letter case, plain or with one colon between every two octets' digits, as Postfix does
    /// (util/hex_code.c). The length names the algorithm.
    /// </summary>
    /// <param name="text">What a person, a table or the store says.</param>
    /// <param name="fingerprint">The fingerprint.</param>
    /// <param name="reason">Why not, and what to write instead.</param>
    public static bool TryParse(
        [NotNullWhen(true)] string? text, out Fingerprint fingerprint, [NotNullWhen(false)] out string? reason)
    {
        fingerprint = default;
        if (string.IsNullOrEmpty(text))
        {
            reason = "the fingerprint is empty";
            return false;
        }

        // Postfix: 3 * EVP_MAX_MD_SIZE characters at most (tls/tls_dane.c).
        if (text.Length > 192)
        {
            reason = $"a fingerprint has at most 192 characters, this one {text.Length}";
            return false;
        }

        Span<char> digits = stackalloc char[192];
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == ':')
            {
                var betweenPairs = i > 0 && i < text.Length - 1 && count % 2 == 0 && text[i - 1] != ':';
                if (!betweenPairs)
                {
                    reason = $"'{Excerpt(text)}' has a colon at character {i + 1} that does not stand between two pairs of hexadecimal digits";
                    return false;
                }

                continue;
            }

            if (!char.IsAsciiHexDigit(text[i]))
            {
                reason = $"'{Excerpt(text)}' is not hexadecimal (character {i + 1}); write the digits only, "
                    + "without a prefix such as sha256: and not in base64";
                return false;
            }

            digits[count++] = char.ToLowerInvariant(text[i]);
        }

        if (count % 2 != 0 || !DigestAlgorithms.TryFromOctets(count / 2, out var algorithm))
        {
            reason = $"'{Excerpt(text)}' has {count} hexadecimal digits; MD5 has 32, SHA-1 40, SHA-256 64 and SHA-512 128";
            return false;
        }

        fingerprint = new Fingerprint(algorithm, new string(digits[..count]));
        reason = null;
        return true;
    }

    /// <summary>True for what is meant as a fingerprint, complete or not: no name has three colons between pairs of hexadecimal digits.</summary>
    public static bool LooksLikeOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var pairs = text.Split(':');
        return TryParse(text, out _, out _) || (pairs.Length > 3 && pairs.All(pair => pair.Length == 2 && pair.All(char.IsAsciiHexDigit)));
    }

    /// <summary>The fingerprint of DER bytes: a certificate, or a SubjectPublicKeyInfo.</summary>
    // MD5 and SHA-1 are here because Postfix tables hold them; what they are worth is said where pins are judged.
#pragma warning disable CA5350, CA5351
    public static Fingerprint Compute(DigestAlgorithm algorithm, ReadOnlySpan<byte> der)
    {
        var digest = algorithm switch
        {
            DigestAlgorithm.Md5 => MD5.HashData(der),
            DigestAlgorithm.Sha1 => SHA1.HashData(der),
            DigestAlgorithm.Sha256 => SHA256.HashData(der),
            DigestAlgorithm.Sha512 => SHA512.HashData(der),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        };
        return new Fingerprint(algorithm, Convert.ToHexStringLower(digest));
    }
#pragma warning restore CA5350, CA5351

    private static string Excerpt(string text) => text.Length <= 24 ? text : text[..24] + "...";
}
