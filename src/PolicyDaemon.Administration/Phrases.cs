using System.Globalization;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Administration;

/// <summary>Parts of sentences that several reports share.</summary>
public static class Phrases
{
    /// <summary><c>1 address</c>, <c>2 addresses</c>.</summary>
    public static string Count(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");

    /// <summary>Whole days until a certificate ends; negative where it has.</summary>
    public static int DaysUntil(DateTimeOffset end, DateTimeOffset now) => (int)Math.Floor((end - now).TotalDays);

    /// <summary>Cuts text that a peer or a zone chose to what a report can show. The text is escaped where it is written.</summary>
    public static string Cut(string text, int length = 160)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= length ? text : text[..length] + "...";
    }

    /// <summary>The public key of a certificate: <c>RSA 2048 bits</c>.</summary>
    public static string PublicKey(ServerCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.KeyBits > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{Algorithm(certificate.Algorithm)} {certificate.KeyBits} bits")
            : Algorithm(certificate.Algorithm);
    }

    /// <summary>The spelling of a key algorithm in the standards.</summary>
    public static string Algorithm(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Rsa => "RSA",
        KeyAlgorithm.Ecdsa => "ECDSA",
        KeyAlgorithm.EdDsa => "EdDSA",
        _ => "another algorithm",
    };
}
