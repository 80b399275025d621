using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Pins;

/// <summary>A digest algorithm that Postfix can compare fingerprints in. See postconf(5), smtp_tls_fingerprint_digest.</summary>
public enum DigestAlgorithm
{
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// <summary>Names (as OpenSSL and Postfix spell them) and sizes of the digest algorithms.</summary>
public static class DigestAlgorithms
{
    private static readonly StoredNames<DigestAlgorithm> Stored = new(
        (DigestAlgorithm.Md5, "md5"), (DigestAlgorithm.Sha1, "sha1"), (DigestAlgorithm.Sha256, "sha256"), (DigestAlgorithm.Sha512, "sha512"))
    {
        Comparison = StringComparison.OrdinalIgnoreCase,
    };

    public static ImmutableArray<DigestAlgorithm> All { get; } = [.. Enum.GetValues<DigestAlgorithm>()];

    public static IReadOnlyList<string> Names => Stored.All;

    public static string Name(this DigestAlgorithm algorithm) => Stored.Of(algorithm);

    /// <summary>The digest's size in octets; its hexadecimal form is twice as long.</summary>
    public static int Octets(this DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => 16,
        DigestAlgorithm.Sha1 => 20,
        DigestAlgorithm.Sha256 => 32,
        DigestAlgorithm.Sha512 => 64,
        _ => throw new UnreachableException($"digest algorithm {(int)algorithm}"),
    };

    /// <summary>Reads <c>sha256</c> or <c>SHA-256</c>, in any letter case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out DigestAlgorithm algorithm) =>
        Stored.TryParse(name?.Replace("-", "", StringComparison.Ordinal), out algorithm);

    /// <summary>The algorithm whose digests have this many octets; the four sizes differ, so the digits of a fingerprint name its algorithm.</summary>
    public static bool TryFromOctets(int octets, out DigestAlgorithm algorithm)
    {
        foreach (var one in All)
        {
            if (one.Octets() == octets)
            {
                algorithm = one;
                return true;
            }
        }

        algorithm = default;
        return false;
    }
}
