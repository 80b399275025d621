using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>Makes authorities and certificates of every kind, sound and unsound.</summary>
internal sealed class CertificateForge
{
    private static readonly TimeSpan Years = TimeSpan.FromDays(3000);

    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly List<X509Certificate2> _trusted = [];

    public CertificateForge()
    {
        Root = MakeRoot("Laboratory Root", ServerKey.Ecdsa());
        RsaRoot = MakeRoot("Laboratory RSA Root", ServerKey.Rsa());
        OldRoot = MakeRoot("Laboratory SHA-1 Root", ServerKey.Rsa(), digest: HashAlgorithmName.SHA1);
        UnknownRoot = MakeRoot("Unknown Root", ServerKey.Ecdsa(), isTrusted: false);
        Intermediate = MakeIntermediate("Laboratory Intermediate", Root);
    }

    /// <summary>Trusted, ECDSA.</summary>
    public Authority Root { get; }

    /// <summary>Trusted, RSA.</summary>
    public Authority RsaRoot { get; }

    /// <summary>Trusted, and signed by itself with SHA-1, which does not count: nobody checks a root's signature.</summary>
    public Authority OldRoot { get; }

    /// <summary>Trusted by nobody.</summary>
    public Authority UnknownRoot { get; }

    /// <summary>Below <see cref="Root"/>.</summary>
    public Authority Intermediate { get; }

    /// <summary>The trusted roots, for smtp_tls_CAfile and ca_file.</summary>
    public string TrustedPem => string.Concat(_trusted.Select(root => root.ExportCertificatePem() + "\n"));

    /// <summary>A certificate of <see cref="Root"/> for these names.</summary>
    public ServedCertificate Good(params string[] names) => Issue(CertificateRecipe.For(names) with { Issuer = Root });

    /// <summary>A self-signed certificate for these names.</summary>
    public ServedCertificate SelfSigned(params string[] names) => Issue(CertificateRecipe.For(names));

    public ServedCertificate Issue(CertificateRecipe recipe)
    {
        var key = recipe.Key ?? ServerKey.Ecdsa();
        var request = Request(recipe.Subject ?? "CN=A Mail Server", key, recipe.Digest);
        AddNames(request, recipe);
        if (recipe.IsAuthority is { } isAuthority) request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (recipe.Usage is { } usage) request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        if (recipe.Purposes.Length > 0) request.CertificateExtensions.Add(Purposes(recipe.Purposes));
        foreach (var extension in recipe.Extensions) request.CertificateExtensions.Add(extension);
        var issuer = recipe.Issuer;
        var leaf = Sign(request, issuer, key, recipe.Digest, recipe.From, recipe.To, recipe.HasNegativeSerial);
        return new ServedCertificate(key, leaf, recipe.Sends ?? (issuer is null || issuer.IsRoot ? [] : [issuer.Certificate]));
    }

    public Authority MakeRoot(
        string name, ServerKey key, bool isTrusted = true, HashAlgorithmName? digest = null, TimeSpan? to = null, RSASignaturePadding? padding = null,
        TimeSpan? from = null, int? pathLength = null, string[]? purposes = null, X509Extension[]? extensions = null)
    {
        var made = MakeAuthority(
            name, key, null, digest ?? HashAlgorithmName.SHA256, to ?? Years, pathLength: pathLength, purposes: purposes, extensions: extensions, from: from)
            with { Padding = padding ?? RSASignaturePadding.Pkcs1 };
        if (isTrusted) _trusted.Add(made.Certificate);
        return made;
    }

    public Authority MakeIntermediate(
        string name, Authority issuer, HashAlgorithmName? digest = null, TimeSpan? to = null, bool? isAuthority = true, int? pathLength = null,
        X509KeyUsageFlags? usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, string[]? purposes = null, ServerKey? key = null,
        X509Extension[]? extensions = null) => MakeAuthority(
            name, key ?? ServerKey.Ecdsa(), issuer, digest ?? HashAlgorithmName.SHA256, to ?? Years, isAuthority, pathLength, usage, purposes ?? [], extensions ?? []);

    /// <summary>An authority in a certificate of version 1, which has no extensions (RFC 5280 section 4.1.2.1).</summary>
    public Authority MakeVersion1(string name, Authority? issuer, bool isTrusted = false)
    {
        var key = ServerKey.Ecdsa();
        var own = (ECDsa)key.Own!;
        var subject = new X500DistinguishedName("CN=" + name);
        var generator = X509SignatureGenerator.CreateForECDsa(issuer is null ? own : (ECDsa)issuer.Key);
        var algorithm = generator.GetSignatureAlgorithmIdentifier(HashAlgorithmName.SHA256);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(RandomNumberGenerator.GetInt32(int.MaxValue));
            writer.WriteEncodedValue(algorithm);
            writer.WriteEncodedValue((issuer?.Certificate.SubjectName ?? subject).RawData);
            using (writer.PushSequence())
            {
                writer.WriteUtcTime(_now - Years);
                writer.WriteUtcTime(_now + Years);
            }

            writer.WriteEncodedValue(subject.RawData);
            writer.WriteEncodedValue(key.Public.ExportSubjectPublicKeyInfo());
        }

        var body = writer.Encode();
        writer.Reset();
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(body);
            writer.WriteEncodedValue(algorithm);
            writer.WriteBitString(generator.SignData(body, HashAlgorithmName.SHA256));
        }

        var made = X509CertificateLoader.LoadCertificate(writer.Encode());
        if (isTrusted) _trusted.Add(made);
        return new Authority(made, own, RSASignaturePadding.Pkcs1);
    }

    private Authority MakeAuthority(
        string name, ServerKey key, Authority? issuer, HashAlgorithmName digest, TimeSpan to, bool? isAuthority = true, int? pathLength = null,
        X509KeyUsageFlags? usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, string[]? purposes = null, X509Extension[]? extensions = null,
        TimeSpan? from = null)
    {
        var request = Request("CN=" + name, key, digest);
        if (isAuthority is { } isOne) request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isOne, pathLength is not null, pathLength ?? 0, true));
        if (usage is { } uses) request.CertificateExtensions.Add(new X509KeyUsageExtension(uses, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key.Public, false));
        if (purposes is { Length: > 0 }) request.CertificateExtensions.Add(Purposes(purposes));
        foreach (var extension in extensions ?? []) request.CertificateExtensions.Add(extension);
        return new Authority(Sign(request, issuer, key, digest, from ?? -Years, to), key.Own!, RSASignaturePadding.Pkcs1);
    }

    private X509Certificate2 Sign(
        CertificateRequest request, Authority? issuer, ServerKey own, HashAlgorithmName digest, TimeSpan from, TimeSpan to,
        bool hasNegativeSerial = false)
    {
        var key = issuer?.Key ?? own.Own ?? throw new ArgumentException("a key of OpenSSL's cannot sign itself");
        var isOld = digest == HashAlgorithmName.SHA1 || digest == HashAlgorithmName.MD5;
        var generator = key switch
        {
            RSA rsa when isOld => new OldSignature(rsa),
            RSA rsa => X509SignatureGenerator.CreateForRSA(rsa, issuer?.Padding ?? RSASignaturePadding.Pkcs1),
            _ when isOld => throw new ArgumentException("old digests are for RSA"),
            _ => X509SignatureGenerator.CreateForECDsa((ECDsa)key),
        };
        if (issuer?.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() is { } identifier)
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));

        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x01); // RFC 5280 section 4.1.2.2: positive
        if (hasNegativeSerial) serial[0] |= 0x80;
        return request.Create(issuer?.Certificate.SubjectName ?? request.SubjectName, generator, _now + from, _now + to, serial);
    }

    // The digest of the request is the signature's only where the key is RSA or ECDSA of .NET's own.
    private static CertificateRequest Request(string subject, ServerKey key, HashAlgorithmName digest) =>
        new(new X500DistinguishedName(subject), key.Public, digest);

    private static void AddNames(CertificateRequest request, CertificateRecipe recipe)
    {
        if (recipe.Names.Length + recipe.Addresses.Length + recipe.Mailboxes.Length + recipe.Uris.Length == 0) return;
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in recipe.Names)
        {
            // The builder maps names as a browser would; a certificate has what its maker wrote.
            if (name.All(char.IsAscii) && name.EndsWith('.')) continue;
            names.AddDnsName(name);
        }

        foreach (var address in recipe.Addresses) names.AddIpAddress(address);
        foreach (var mailbox in recipe.Mailboxes) names.AddEmailAddress(mailbox);
        foreach (var uri in recipe.Uris) names.AddUri(new Uri(uri));
        var built = names.Build(critical: request.SubjectName.Name.Length == 0);
        var dotted = recipe.Names.Where(name => name.EndsWith('.')).ToList();
        request.CertificateExtensions.Add(dotted.Count == 0 ? built : WithRaw(built, dotted));
    }

    /// <summary>Names as they stand, put in front of what the builder made.</summary>
    private static X509Extension WithRaw(X509Extension built, List<string> names)
    {
        // GeneralNames ::= SEQUENCE OF; dNSName is [2] IA5String (RFC 5280 section 4.2.1.6). All lengths here are below 128.
        var content = names.SelectMany(name => new byte[] { 0x82, (byte)name.Length }.Concat(Encoding.ASCII.GetBytes(name))).ToArray();
        var rest = built.RawData[2..];
        return new X509Extension(built.Oid!, [0x30, checked((byte)(content.Length + rest.Length)), .. content, .. rest], built.Critical);
    }

    private static X509EnhancedKeyUsageExtension Purposes(string[] purposes)
    {
        var oids = new OidCollection();
        foreach (var purpose in purposes) oids.Add(new Oid(purpose));
        return new X509EnhancedKeyUsageExtension(oids, false);
    }
}
