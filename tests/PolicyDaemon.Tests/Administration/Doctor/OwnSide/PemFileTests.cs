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

    /// <summary>openssl genpkey -algorithm ed25519</summary>
    [Fact]
    public void A_key_of_another_algorithm_is_said_to_be_unknown() => Assert.Equal(PemKind.UnknownKey, Assert.Single(PemFile.Parse(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n")).Kind);

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
