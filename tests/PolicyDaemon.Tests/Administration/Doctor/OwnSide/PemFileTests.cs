using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor.OwnSide;

public sealed class PemFileTests : IDisposable
{
    private static readonly X509Certificate2 Ecdsa = OwnFiles.Certificate(90);
    private static readonly X509Certificate2 Rsa = OwnFiles.Certificate(90, rsa: true);

    private readonly OwnFiles files = new();

    [Fact]
    public void Certificates_and_keys_are_read_in_their_order()
    {
        var file = PemFile.Read(files.Write("all.pem", "# a comment\n" + OwnFiles.Key(Ecdsa) + OwnFiles.Pem(Ecdsa) + OwnFiles.Pem(TestCertificates.Root)));

        Assert.Null(file.Problem);
        Assert.Equal([PemKind.PrivateKey, PemKind.Certificate, PemKind.Certificate], file.Items.Select(item => item.Kind));
        Assert.Equal(Ecdsa.RawData, file.Leaf!.Der);
        Assert.Equal(file.Items[1].PublicKey, file.Items[0].PublicKey);
    }

    [Fact]
    public void Keys_of_every_form_come_to_the_public_key()
    {
        using var rsa = Rsa.GetRSAPrivateKey()!;
        using var ec = Ecdsa.GetECDsaPrivateKey()!;

        Assert.Equal(Rsa.PublicKey.ExportSubjectPublicKeyInfo(), Assert.Single(PemFile.Parse(rsa.ExportRSAPrivateKeyPem())).PublicKey);
        Assert.Equal(Rsa.PublicKey.ExportSubjectPublicKeyInfo(), Assert.Single(PemFile.Parse(rsa.ExportPkcs8PrivateKeyPem())).PublicKey);
        Assert.Equal(Ecdsa.PublicKey.ExportSubjectPublicKeyInfo(), Assert.Single(PemFile.Parse(ec.ExportECPrivateKeyPem())).PublicKey);
        var alone = Assert.Single(PemFile.Parse(ec.ExportSubjectPublicKeyInfoPem()));
        Assert.Equal(PemKind.PublicKey, alone.Kind);
        Assert.Equal(Ecdsa.PublicKey.ExportSubjectPublicKeyInfo(), alone.PublicKey);
    }

    [Fact]
    public void A_key_with_a_password_is_told_from_one_without()
    {
        using var ec = Ecdsa.GetECDsaPrivateKey()!;
        var encrypted = ec.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Assert.Equal(PemKind.EncryptedKey, Assert.Single(PemFile.Parse(encrypted)).Kind);
        Assert.Equal(PemKind.EncryptedKey, Assert.Single(PemFile.Parse(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")).Kind);
    }

    /// <summary>RFC 8032 section 7.1, tests 1 to 3, and a key of openssl genpkey, each with the public key that openssl pkey -pubout computes of it.</summary>
    [Theory]
    [InlineData("MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")]
    [InlineData("MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")]
    [InlineData("MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")]
    [InlineData("MC4CAQAwBQYDK2VwBCIEII8KSBRwrILc08Htx/Y04ig0nq8xqf3dXpq1d/iVg9Pl", "ebf8e65179b1cf963f21bcd4a45cd97ad6d12c86d89ccffebade2bc3f50aa759")]
    public void The_public_key_of_an_Ed25519_key_is_computed(string base64, string publicKey)
    {
        var item = Assert.Single(PemFile.Parse($"-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n"));

        Assert.Equal(publicKey, Convert.ToHexStringLower([.. item.PublicKey.Skip(12)]));
    }

    /// <summary>openssl genpkey -algorithm ed448</summary>
    [Fact]
    public void A_key_of_another_algorithm_is_said_to_be_unknown() => Assert.Equal(PemKind.UnknownKey, Assert.Single(PemFile.Parse(
        "-----BEGIN PRIVATE KEY-----\nMEcCAQAwBQYDK2VxBDsEOYgGoRM+rP7nLmD5VPKLHNpvb7cxEv/o99xvRQcn2To5\nlRgVf3Gou+6oe5xrjKAjT4ITidhi8hK4sA==\n-----END PRIVATE KEY-----\n")).Kind);

    [Fact]
    public void What_cannot_be_read_says_why()
    {
        Assert.Contains("is not there", PemFile.Read(files.Path("nothing")).Problem, StringComparison.Ordinal);
        Assert.Contains("neither a certificate nor a key", PemFile.Read(files.Write("x", "words")).Problem, StringComparison.Ordinal);
        Assert.Contains("it is no file", PemFile.Read(Path.GetDirectoryName(files.Path("x"))!).Problem, StringComparison.Ordinal);
        Assert.Contains("larger than 1024 KiB", PemFile.Read(files.Write("big", new string('x', 1024 * 1024 + 1))).Problem, StringComparison.Ordinal);
    }

    public void Dispose() => files.Dispose();
}
