using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>A key of ours that partners are told: in use, or the next one.</summary>
/// <param name="Use"><c>now</c> or <c>next</c>.</param>
/// <param name="Source">The file it stands in, or the MX host that presents it.</param>
/// <param name="Certificate">Its certificate; null for a key without one.</param>
/// <param name="PublicKey">The SubjectPublicKeyInfo, DER.</param>
public sealed record OwnKey(string Use, string Source, ServerCertificate? Certificate, ImmutableArray<byte> PublicKey)
{
    /// <summary>In use.</summary>
    public const string Now = "now";

    /// <summary>To be used from a change on that is still to come.</summary>
    public const string Next = "next";

    /// <summary>The fingerprint of the public key, which a renewal with the same key leaves as it is.</summary>
    public Fingerprint KeyFingerprint(DigestAlgorithm digest) => Fingerprint.Compute(digest, PublicKey.AsSpan());

    /// <summary>The fingerprint of the certificate; null for a key without one.</summary>
    public Fingerprint? CertificateFingerprint(DigestAlgorithm digest) => Certificate?.Digest(PinSubject.Certificate, digest);

    /// <summary>The TLSA record for the key: DANE-EE, public key, SHA-256, as RFC 7672 section 3.1 recommends.</summary>
    public TlsaRecord Tlsa => new(3, 1, 1, [.. Convert.FromHexString(KeyFingerprint(DigestAlgorithm.Sha256).Hex)]);

    /// <summary>The keys that partners should know, each once: those of main.cf and those that our MX hosts present, then the next ones.</summary>
    /// <param name="identities">The certificates of main.cf.</param>
    /// <param name="presented">What our MX hosts present, with their names.</param>
    /// <param name="next">The files of the next certificates or keys.</param>
    public static IReadOnlyList<OwnKey> Of(
        IEnumerable<OwnIdentity> identities, IEnumerable<(string MxHost, ServerCertificate Certificate)> presented, IEnumerable<PemFile> next)
    {
        ArgumentNullException.ThrowIfNull(identities);
        ArgumentNullException.ThrowIfNull(presented);
        ArgumentNullException.ThrowIfNull(next);
        return
        [
            .. identities.Where(identity => identity.Certificate.Leaf is not null).Select(identity => new OwnKey(Now, identity.Certificate.Path, identity.Certificate.Leaf, identity.Certificate.Leaf!.PublicKey))
                .Concat(presented.Select(shown => new OwnKey(Now, shown.MxHost, shown.Certificate, shown.Certificate.PublicKey)))
                .DistinctBy(key => key.Certificate!.Id),
            .. next.Select(OfFile).OfType<OwnKey>(),
        ];
    }

    /// <summary>The next key of a file: its certificate, or else the key alone, private or public.</summary>
    /// <returns>Null where the file holds neither.</returns>
    public static OwnKey? OfFile(PemFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Leaf is { } leaf)
            return new OwnKey(Next, file.Path, leaf, leaf.PublicKey);
        var key = file.Items.FirstOrDefault(item => item.Kind is PemKind.PrivateKey or PemKind.PublicKey);
        return key is null ? null : new OwnKey(Next, file.Path, null, key.PublicKey);
    }
}
