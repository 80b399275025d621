using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Pins;

/// <summary>Names (as OpenSSL and Postfix spell them) and sizes of the digest algorithms.</summary>
public static class DigestAlgorithms
{
    private static readonly (string Name, DigestAlgorithm Algorithm, int Octets)[] Table =
    [
        ("md5", DigestAlgorithm.Md5, 16),
        ("sha1", DigestAlgorithm.Sha1, 20),
        ("sha256", DigestAlgorithm.Sha256, 32),
        ("sha512", DigestAlgorithm.Sha512, 64),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    public static string Name(this DigestAlgorithm algorithm) => Row(algorithm).Name;

    /// <summary>The digest's size in octets; its hexadecimal form is twice as long.</summary>
    public static int Octets(this DigestAlgorithm algorithm) => Row(algorithm).Octets;

    /// <summary>Reads <c>sha256</c> or <c>SHA-256</c>, in any letter case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out DigestAlgorithm algorithm)
    {
        var plain = name?.Replace("-", "", StringComparison.Ordinal);
        foreach (var row in Table)
        {
            if (string.Equals(row.Name, plain, StringComparison.OrdinalIgnoreCase))
            {
                algorithm = row.Algorithm;
                return true;
            }
        }

        algorithm = default;
        return false;
    }

    /// <summary>The algorithm whose digests have this many octets; the four sizes differ, so a bare pin names its algorithm.</summary>
    public static bool TryFromOctets(int octets, out DigestAlgorithm algorithm)
    {
        foreach (var row in Table)
        {
            if (row.Octets == octets)
            {
                algorithm = row.Algorithm;
                return true;
            }
        }

        algorithm = default;
        return false;
    }

    private static (string Name, DigestAlgorithm Algorithm, int Octets) Row(DigestAlgorithm algorithm)
    {
        foreach (var row in Table)
        {
            if (row.Algorithm == algorithm)
                return row;
        }

        throw new UnreachableException($"digest algorithm {(int)algorithm}");
    }
}
