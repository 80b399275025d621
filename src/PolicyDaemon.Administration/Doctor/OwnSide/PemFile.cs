using System.Collections.Immutable;
using System.Security.Cryptography;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>What stands in a block of a PEM file (RFC 7468).</summary>
public enum PemKind
{
    Certificate,

    /// <summary>A private key without a password.</summary>
    PrivateKey,

    /// <summary>A private key that takes a password, which Postfix cannot type.</summary>
    EncryptedKey,

    /// <summary>A private key of an algorithm that is not understood here, such as Ed448.</summary>
    UnknownKey,

    /// <summary>A public key alone.</summary>
    PublicKey,
}

/// <summary>A block of a PEM file.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Certificate">The certificate; null for a key.</param>
/// <param name="PublicKey">The DER SubjectPublicKeyInfo of the certificate or of the key; empty where it cannot be told.</param>
public sealed record PemItem(PemKind Kind, ServerCertificate? Certificate, ImmutableArray<byte> PublicKey);

/// <summary>A file with certificates and keys in PEM, as Postfix reads it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Items">Its blocks, in their order.</param>
/// <param name="Facts">What the system knows of it; null where it is not there.</param>
/// <param name="Problem">Why it cannot be read; null where it was.</param>
/// <param name="IsDenied">True where this process lacks the right to read it, which says nothing about Postfix.</param>
public sealed record PemFile(string Path, ImmutableArray<PemItem> Items, FileFacts? Facts, string? Problem, bool IsDenied = false)
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The first certificate: the server's own (postconf(5), smtpd_tls_cert_file).</summary>
    public ServerCertificate? Leaf => Items.FirstOrDefault(item => item.Kind == PemKind.Certificate)?.Certificate;

    /// <summary>The first private key, of whatever kind.</summary>
    public PemItem? PrivateKey => Items.FirstOrDefault(item => item.Kind is PemKind.PrivateKey or PemKind.EncryptedKey or PemKind.UnknownKey);

    /// <summary>Reads a file. What is wrong with it is said by the result.</summary>
    public static PemFile Read(string path)
    {
        var facts = FileFacts.Of(path, followLink: true);
        if (facts is null)
            return new PemFile(path, [], null, "it is not there, or may not be seen", IsDenied: !UnixUser.IsRoot && FileRefusals.OfReading(path) == FileRefusal.NoPermission);
        try
        {
            if (facts.Value.Kind != FileKind.Regular)
                return new PemFile(path, [], facts, "it is no file");
            if (new FileInfo(path).Length > MaxBytes)
                return new PemFile(path, [], facts, FormattableString.Invariant($"it is larger than {MaxBytes / 1024} KiB; certificates and keys in PEM are not"));
            var items = Parse(File.ReadAllText(path));
            return new PemFile(path, items, facts, items.IsEmpty ? "it holds neither a certificate nor a key in PEM" : null);
        }
        catch (UnauthorizedAccessException)
        {
            return new PemFile(path, [], facts, "it may not be read", IsDenied: true);
        }
        catch (IOException fault)
        {
            return new PemFile(path, [], facts, fault.Message);
        }
    }

    /// <summary>The blocks of a text; what is no certificate and no key is passed over.</summary>
    internal static ImmutableArray<PemItem> Parse(string text)
    {
        var items = ImmutableArray.CreateBuilder<PemItem>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (Item(rest[fields.Label], rest[fields.Location]) is { } item)
                items.Add(item);
            rest = rest[fields.Location.End..];
        }

        // RFC 1421 section 4.6.1.1: a header of the old encryption, which is no base64 and so no block to the loop above.
        if (text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            items.Add(new PemItem(PemKind.EncryptedKey, null, []));
        return items.ToImmutable();
    }

    private static PemItem? Item(ReadOnlySpan<char> label, ReadOnlySpan<char> block)
    {
        switch (label)
        {
            case "CERTIFICATE" or "X509 CERTIFICATE":
                return Der(block) is { } der && ServerCertificate.TryParse(der) is { } certificate ? new PemItem(PemKind.Certificate, certificate, certificate.PublicKey) : null;
            case "PRIVATE KEY" or "RSA PRIVATE KEY" or "EC PRIVATE KEY":
                return PublicKeyOf(block) is { } own ? new PemItem(PemKind.PrivateKey, null, own) : new PemItem(PemKind.UnknownKey, null, []);
            case "ENCRYPTED PRIVATE KEY":
                return new PemItem(PemKind.EncryptedKey, null, []);
            case "PUBLIC KEY":
                return Der(block) is { } key ? new PemItem(PemKind.PublicKey, null, [.. key]) : null;
            default:
                return null;
        }
    }

    private static byte[]? Der(ReadOnlySpan<char> block)
    {
        var fields = PemEncoding.Find(block);
        var octets = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64Chars(block[fields.Base64Data], octets, out var written) ? octets[..written] : null;
    }

    private static ImmutableArray<byte>? PublicKeyOf(ReadOnlySpan<char> block)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(block);
            return [.. rsa.ExportSubjectPublicKeyInfo()];
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            // Of another algorithm.
        }

        try
        {
            using var ec = ECDsa.Create();
            ec.ImportFromPem(block);
            return [.. ec.ExportSubjectPublicKeyInfo()];
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            return Der(block) is { } der ? Ed25519Key.PublicKeyOf(der) : null;
        }
    }
}
