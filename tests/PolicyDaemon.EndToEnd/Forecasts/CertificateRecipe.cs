using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>What a certificate is to be like; anything left out is as a usual mail server has it.</summary>
internal sealed record CertificateRecipe
{
    /// <summary>Its subjectAltName entries for hosts.</summary>
    public string[] Names { get; init; } = [];

    /// <summary>Its subjectAltName entries for addresses.</summary>
    public IPAddress[] Addresses { get; init; } = [];

    /// <summary>Its subjectAltName entries for mailboxes.</summary>
    public string[] Mailboxes { get; init; } = [];

    /// <summary>Its subjectAltName entries for URIs.</summary>
    public string[] Uris { get; init; } = [];

    /// <summary>The whole subject; null: a common name that is no host name.</summary>
    public string? Subject { get; init; }

    /// <summary>The server's key; null: a new one for P-256.</summary>
    public ServerKey? Key { get; init; }

    /// <summary>Who signs; null: the certificate's own key.</summary>
    public Authority? Issuer { get; init; }

    /// <summary>The digest of the signature.</summary>
    public HashAlgorithmName Digest { get; init; } = HashAlgorithmName.SHA256;

    /// <summary>The start of its validity, counted from now.</summary>
    public TimeSpan From { get; init; } = TimeSpan.FromDays(-10);

    /// <summary>The end of its validity, counted from now.</summary>
    public TimeSpan To { get; init; } = TimeSpan.FromDays(90);

    /// <summary>extendedKeyUsage; empty: none.</summary>
    public string[] Purposes { get; init; } = [];

    /// <summary>keyUsage; null: none.</summary>
    public X509KeyUsageFlags? Usage { get; init; }

    /// <summary>basicConstraints as an authority's; null: none at all.</summary>
    public bool? IsAuthority { get; init; } = false;

    /// <summary>The serial number's sign; RFC 5280 section 4.1.2.2 asks for a positive one.</summary>
    public bool HasNegativeSerial { get; init; }

    /// <summary>Further extensions.</summary>
    public X509Extension[] Extensions { get; init; } = [];

    /// <summary>What the server sends behind its own certificate; null: the issuer, if there is one that is not a root.</summary>
    public X509Certificate2[]? Sends { get; init; }

    /// <summary>A recipe with these names in it.</summary>
    public static CertificateRecipe For(params string[] names) => new() { Names = names };
}
