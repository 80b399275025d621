namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Whether a next certificate or key, given as a file, is good for what comes.</summary>
public static class NextKeyCheck
{
    private const string Name = "next";
    private const int LeastStrength = 112; // NIST SP 800-57 part 1: RSA 2048, ECDSA 224

    /// <param name="files">The files, as they were read.</param>
    /// <param name="identities">The certificates in use.</param>
    /// <param name="mxHosts">The names of our MX hosts; empty where they are not known.</param>
    /// <param name="now">The time.</param>
    public static IEnumerable<DoctorFinding> Judge(
        IReadOnlyList<PemFile> files, IReadOnlyList<OwnIdentity> identities, IReadOnlyList<string> mxHosts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(identities);
        ArgumentNullException.ThrowIfNull(mxHosts);
        foreach (var file in files)
        {
            yield return OwnKey.OfFile(file) is { } key ? Judge(key, identities, mxHosts, now) : DoctorFinding.Problem(Name, $"{file.Path}: {Why(file)}");
        }
    }

    private static string Why(PemFile file) => file.PrivateKey?.Kind switch
    {
        PemKind.EncryptedKey => "the private key takes a password; name its certificate, or its public key (openssl pkey -pubout)",
        PemKind.UnknownKey => "a private key of an algorithm that is not known here; name its certificate, or its public key (openssl pkey -pubout)",
        _ => file.Problem ?? "it holds neither a certificate nor a key",
    };

    private static DoctorFinding Judge(OwnKey key, IReadOnlyList<OwnIdentity> identities, IReadOnlyList<string> mxHosts, DateTimeOffset now)
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
        return new DoctorFinding(Name, now < certificate.NotBefore ? DoctorSeverity.Note : OwnCertificateCheck.EndOf(certificate, now), text);
    }
}
