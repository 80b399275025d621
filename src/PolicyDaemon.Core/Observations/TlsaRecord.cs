using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

/// <summary>A TLSA record (RFC 6698 section 2.1).</summary>
/// <param name="Usage">2 DANE-TA and 3 DANE-EE are usable for SMTP, 0 and 1 are not (RFC 7672 section 3.1.3).</param>
/// <param name="Selector">0 whole certificate, 1 SubjectPublicKeyInfo.</param>
/// <param name="MatchingType">0 the octets themselves, 1 SHA-256, 2 SHA-512.</param>
/// <param name="Data">The certificate association data.</param>
public sealed record TlsaRecord(byte Usage, byte Selector, byte MatchingType, ImmutableArray<byte> Data)
{
    /// <summary>True where SMTP can do something with the record. Octets that are no certificate, or no key, are nothing to OpenSSL.</summary>
    public bool IsUsable => WhyUnusable is null;

    /// <summary>Why SMTP can do nothing with the record, for people; null where it can.</summary>
    public string? WhyUnusable => this switch
    {
        { Usage: 0 or 1 } => $"usage {Usage} rests on a public authority, which SMTP does not use (RFC 7672 section 3.1.3)",
        { Usage: > 3 } => $"usage {Usage} is unknown",
        { Selector: > 1 } => $"selector {Selector} is unknown",
        { MatchingType: 1, Data.Length: not 32 } => $"SHA-256 has 32 octets, the record {Data.Length}",
        { MatchingType: 2, Data.Length: not 64 } => $"SHA-512 has 64 octets, the record {Data.Length}",
        { MatchingType: > 2 } => $"matching type {MatchingType} is unknown",
        { MatchingType: 0 } when !IsReadable() => Selector == 0 ? "its octets are no certificate" : "its octets are no public key",
        _ => null,
    };

    /// <summary>True for DANE-EE: the record names the server's own certificate or key.</summary>
    public bool NamesServer => Usage == 3;

    /// <summary>True where the record matches these octets: a DER certificate with its DER SubjectPublicKeyInfo.</summary>
    public bool Matches(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> publicKey)
    {
        if (!IsUsable)
            return false;
        var subject = Selector == 0 ? certificate : publicKey;
        return MatchingType switch
        {
            0 => subject.SequenceEqual(Data.AsSpan()),
            1 => Convert.ToHexStringLower(Data.AsSpan()) == Fingerprint.Compute(DigestAlgorithm.Sha256, subject).Hex,
            _ => Convert.ToHexStringLower(Data.AsSpan()) == Fingerprint.Compute(DigestAlgorithm.Sha512, subject).Hex,
        };
    }

    /// <summary>The pin that this record announces, where it can be told in the digest Postfix uses.</summary>
    public bool TryFingerprint(DigestAlgorithm digest, out Fingerprint fingerprint, out PinSubject subject)
    {
        fingerprint = default;
        subject = Selector == 0 ? PinSubject.Certificate : PinSubject.PublicKey;
        if (!IsUsable || !NamesServer)
            return false;
        if (MatchingType == 0)
        {
            fingerprint = Fingerprint.Compute(digest, Data.AsSpan());
            return true;
        }

        return digest == (MatchingType == 1 ? DigestAlgorithm.Sha256 : DigestAlgorithm.Sha512)
            && Fingerprint.TryParse(Convert.ToHexStringLower(Data.AsSpan()), out fingerprint, out _);
    }

    /// <summary>Reads the presentation form; null for what is none.</summary>
    public static TlsaRecord? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var fields = text.Split(' ');
        if (fields.Length != 4 || !TryOctet(fields[0], out var usage) || !TryOctet(fields[1], out var selector) || !TryOctet(fields[2], out var type))
            return null;
        // A record without association data is a broken one, and to a zone's readers still a record.
        var data = new byte[fields[3].Length / 2];
        return Convert.FromHexString(fields[3], data, out var read, out _) == OperationStatus.Done && read == fields[3].Length
            ? new TlsaRecord(usage, selector, type, [.. data])
            : null;
    }

    public bool Equals(TlsaRecord? other) =>
        other is not null && Usage == other.Usage && Selector == other.Selector && MatchingType == other.MatchingType
        && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Usage, Selector, MatchingType, Data.Length);

    private bool IsReadable()
    {
        try
        {
            if (Selector == 1)
            {
                PublicKey.CreateFromSubjectPublicKeyInfo(Data.AsSpan(), out var read);
                return read == Data.Length;
            }

            using var certificate = X509CertificateLoader.LoadCertificate(Data.AsSpan());
            return certificate.RawDataMemory.Length == Data.Length;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool TryOctet(string text, out byte octet) => byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out octet);

    /// <summary>Presentation form (RFC 6698 section 2.2).</summary>
    public override string ToString() => $"{Usage} {Selector} {MatchingType} {Convert.ToHexStringLower(Data.AsSpan())}";
}

/// <summary>The verdict of an MX host's TLSA records over a certificate that the host presented (RFC 7672 section 3).</summary>
public enum DaneVerdict
{
    /// <summary>No TLSA records, or not DNSSEC-secure ones.</summary>
    None,

    Match,

    Mismatch,

    /// <summary>Records, none of them usable for SMTP.</summary>
    Unusable,

    /// <summary>The lookup failed or was bogus.</summary>
    Unknown,

    /// <summary>No trusted resolver says whether there are DNSSEC-secure records: with one of its own, Postfix may know better.</summary>
    Unjudged,
}

/// <summary>The stored names of verdicts of TLSA records.</summary>
public static class DaneVerdicts
{
    private static readonly StoredNames<DaneVerdict> Stored = new(
        (DaneVerdict.None, "none"), (DaneVerdict.Match, "match"), (DaneVerdict.Mismatch, "mismatch"), (DaneVerdict.Unusable, "unusable"),
        (DaneVerdict.Unknown, "unknown"), (DaneVerdict.Unjudged, "unjudged"));

    public static string Name(this DaneVerdict value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out DaneVerdict value) => Stored.TryParse(name, out value);
}

/// <summary>What the TLSA records of an MX host come to, whatever its server shows (postfix: smtp/smtp_tls_policy.c, dane_init).</summary>
public enum TlsaState
{
    /// <summary>There are none that DNSSEC secures.</summary>
    None,

    /// <summary>There are TLSA records, and some of them are usable for SMTP.</summary>
    Usable,

    /// <summary>There are TLSA records, and none of them is usable for SMTP.</summary>
    Unusable,

    /// <summary>The lookup failed or was bogus: Postfix passes over the host.</summary>
    Failed,

    /// <summary>No trusted resolver was asked, and none were seen.</summary>
    NoneKnown,

    /// <summary>There are some, and no trusted resolver says whether DNSSEC secures them.</summary>
    Unjudged,
}
