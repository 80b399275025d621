using System.Text;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>What an answer depends on beside the entry: the <c>[postfix]</c> section of the configuration.</summary>
/// <param name="FingerprintDigest">Must equal Postfix's smtp_tls_fingerprint_digest; an answer cannot name it.</param>
/// <param name="Version">The oldest Postfix served.</param>
/// <param name="NearMiss">How a near miss is answered.</param>
public sealed record PostfixSettings(DigestAlgorithm FingerprintDigest, PostfixVersion Version, NearMissAnswer NearMiss)
{
    /// <summary>smtp_tls_security_level: what mail meets where no policy is found. Empty in main.cf, as it is up to Postfix 3.10 unless somebody sets it: none.</summary>
    public TlsLevel SecurityLevel { get; init; } = TlsLevel.May;

    /// <summary>smtp_mx_address_limit: how many addresses of a destination one attempt tries; 0: all of them.</summary>
    public int MxAddressLimit { get; init; } = 5;

    /// <summary>
    /// smtp_tls_dane_insecure_mx_policy: may, encrypt or dane; what is left of dane where the MX records are not signed. The default is
    /// Postfix's; 3.6.0 to 3.6.16, 3.7.0 to 3.7.12, 3.8.0 to 3.8.7 and 3.9.0 to 3.9.1 had may, unless main.cf itself says dane.
    /// </summary>
    public TlsLevel DaneInsecureMxPolicy { get; init; } = TlsLevel.Dane;

    /// <summary>inet_protocols: the addresses that are tried at all.</summary>
    public AddressFamilies InetProtocols { get; init; }

    /// <summary>smtp_address_preference: which family comes first among addresses of one MX preference.</summary>
    public AddressFamilies AddressPreference { get; init; }

    /// <summary>smtp_tls_protocols, of level may, with colons between its words; empty: every version.</summary>
    public string Protocols { get; init; } = FromTls10;

    /// <summary>smtp_tls_mandatory_protocols, of all other levels.</summary>
    public string MandatoryProtocols { get; init; } = FromTls10;

    /// <summary>Whether Postfix offers TLS 1.3 at any level; where it does not, a server has to speak an older version with it.</summary>
    public bool SpeaksTls13 => IsTls13(Protocols) || IsTls13(MandatoryProtocols);

    private static bool IsTls13(string protocols) => !TlsProtocols.TryRange(protocols, out _, out var highest) || highest >= TlsProtocols.Tls13;

    private const string FromTls10 = ">=TLSv1";

    public static readonly PostfixSettings Default =
        new(DigestAlgorithm.Sha256, PostfixVersion.Oldest, NearMissAnswer.NotFound);
}

/// <summary>The families of addresses in main.cf.</summary>
public enum AddressFamilies
{
    /// <summary>Both alike: <c>inet_protocols = all</c>, <c>smtp_address_preference = any</c>.</summary>
    Any,

    IPv4,

    IPv6,
}

/// <summary>How a near miss is answered (<c>postfix.near_miss</c>): a key without an entry whose bare host has one under other brackets or another port.</summary>
public enum NearMissAnswer
{
    NotFound,
    Temporary,
}

/// <summary>The answer to a near miss, for the lookup path and for <c>explain</c>.</summary>
public static class NearMissAnswers
{
    private const string Reason = "this host is configured in another form, with or without brackets or port (near_miss = temp)";
    private static readonly byte[] Octets = Encoding.ASCII.GetBytes(Reason);

    /// <summary>The text of the answer <see cref="NearMissAnswer.Temporary"/> in octets; that of the other one is empty.</summary>
    public static ReadOnlySpan<byte> TemporaryText => Octets;

    public static LookupAnswer Answer(this NearMissAnswer answer) =>
        answer == NearMissAnswer.Temporary ? LookupAnswer.Temporary(Reason) : LookupAnswer.NotFound;
}
