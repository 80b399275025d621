using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Whether a next certificate or key, given as a file, is good for what comes.</summary>
public static class NextKeyCheck
{
    private const string Name = "next";
    private const int LeastStrength = 112; // NIST SP 800-57 part 1: RSA 2048, ECDSA 224

    /// <param name="files">The files, as they were read.</param>
    /// <param name="identities">The certificates in use.</param>
    /// <param name="mxHosts">The names of our MX hosts; empty where they are not known.</param>
    /// <param name="whyUntrusted">Why partners that verify would refuse the chain of a file; null where they would not, or it cannot be told.</param>
    /// <param name="now">The time.</param>
    public static IEnumerable<DoctorFinding> Judge(
        IReadOnlyList<PemFile> files, IReadOnlyList<OwnIdentity> identities, IReadOnlyList<string> mxHosts, Func<PemFile, string?> whyUntrusted, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(whyUntrusted);
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(identities);
        ArgumentNullException.ThrowIfNull(mxHosts);
        foreach (var file in files)
        {
            yield return OwnKey.OfFile(file) is not { } key ? DoctorFinding.Problem(Name, $"{file.Path}: {Why(file)}")
                : new OwnIdentity(Name, Name, file, file).Fits == false ? OfPair(file)
                : Judge(key, identities, mxHosts, whyUntrusted(file), identities.Any(identity => identity.Certificate.Leaf is not null && whyUntrusted(identity.Certificate) is null), now);
        }
    }

    private static string Why(PemFile file) => file.PrivateKey?.Kind switch
    {
        PemKind.EncryptedKey => "the private key takes a password; name its certificate, or its public key (openssl pkey -pubout)",
        PemKind.UnknownKey => "a private key of an algorithm that is not known here; name its certificate, or its public key (openssl pkey -pubout)",
        _ => file.Problem ?? "it holds neither a certificate nor a key",
    };

    private static DoctorFinding OfPair(PemFile file) => DoctorFinding.Problem(
        Name, $"{file.Path}: its private key is not that of its certificate: Postfix cannot use the two together; they come from different renewals. Both lines must be the same:",
        $"openssl x509 -in {Shell.Quote(file.Path)} -noout -pubkey | openssl dgst -sha256", $"openssl pkey -in {Shell.Quote(file.Path)} -pubout | openssl dgst -sha256");

    private static DoctorFinding Judge(
        OwnKey key, IReadOnlyList<OwnIdentity> identities, IReadOnlyList<string> mxHosts, string? whyUntrusted, bool isTrustedNow, DateTimeOffset now)
    {
        var isSameKey = identities.Any(identity => identity.Certificate.Leaf?.PublicKey.AsSpan().SequenceEqual(key.PublicKey.AsSpan()) == true);
        var keeps = isSameKey ? "it keeps the key in use: pins of the public key and TLSA records 3 1 1 stay right" : "it has a new key: announce its fingerprints before the change";
        if (key.Certificate is not { } certificate)
            return DoctorFinding.Ok(Name, $"{key.Source}: a key without a certificate; {keeps}");
        var text = $"{key.Source} ({Phrases.PublicKey(certificate)}) {OwnCertificateCheck.Lasts(certificate, now)}; {keeps}";
        if (certificate.StrengthBits is > 0 and < LeastStrength)
            return DoctorFinding.Problem(Name, $"{text}. The key is too weak for partners that look");
        if (mxHosts.Where(host => !certificate.Covers(host)).ToList() is { Count: > 0 } missing)
            return DoctorFinding.Warning(Name, $"{text}. It is not for {string.Join(", ", missing)}: at secure, partners' mail to {(missing.Count == 1 ? "that host" : "these hosts")} would wait");
        if (whyUntrusted is not null)
        {
            var refused = $"{text}. Its chain is not trusted ({Phrases.Cut(whyUntrusted)})";
            return isTrustedNow || identities.Count == 0
                ? DoctorFinding.Warning(Name, $"{refused}: at secure, and where MTA-STS is enforced, partners' mail would wait")
                : DoctorFinding.Note(Name, $"{refused}, and neither is that of the one in use: partners can pin it or prove it by DANE");
        }

        return new DoctorFinding(Name, now < certificate.NotBefore ? DoctorSeverity.Note : OwnCertificateCheck.EndOf(certificate, now), text);
    }
}
