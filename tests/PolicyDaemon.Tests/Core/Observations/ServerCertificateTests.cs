using PolicyDaemon.Core.Observations;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Core.Observations;

public sealed class ServerCertificateTests
{
    [Theory]
    [InlineData(KeyAlgorithm.Rsa, 1024, 80)]
    [InlineData(KeyAlgorithm.Rsa, 2048, 112)]
    [InlineData(KeyAlgorithm.Rsa, 4096, 128)]
    [InlineData(KeyAlgorithm.Ecdsa, 256, 128)]
    [InlineData(KeyAlgorithm.Ecdsa, 384, 192)]
    [InlineData(KeyAlgorithm.Ecdsa, 521, 256)]
    [InlineData(KeyAlgorithm.EdDsa, 256, 128)]
    [InlineData(KeyAlgorithm.Other, 9999, 0)]
    public void Strength_is_what_NIST_says(KeyAlgorithm algorithm, int bits, int strength)
    {
        Assert.Equal(strength, RotationScenario.Certificate("any", algorithm: algorithm, bits: bits).StrengthBits);
    }

    [Theory]
    [InlineData("mx.example", "mx.example", true)]
    [InlineData("mx.example", "MX.Example", true)]
    [InlineData("*.mail.example", "mx.mail.example", true)]
    [InlineData("*.mail.example", "a.mx.mail.example", false)]
    [InlineData("*.mail.example", "mail.example", false)]
    [InlineData("*.mail.example", ".mail.example", false)]
    [InlineData("*.mail.example", "m_x.mail.example", false)]
    [InlineData("m*.mail.example", "mx.mail.example", false)]
    [InlineData("*.example", "mx.example", false)] // OpenSSL: no wildcard right below a top-level domain
    [InlineData("mx.example", "xmx.example", false)]
    public void A_wildcard_is_one_whole_label(string name, string host, bool covers)
    {
        Assert.Equal(covers, RotationScenario.Certificate("any", host: name).Covers(host));
    }

    [Fact]
    public void A_DER_certificate_is_read_whole()
    {
        using var made = TestCertificates.Create(["MX.example", "other.example"], selfSigned: true, rsa: true);

        var read = ServerCertificate.TryParse(made.RawData);

        Assert.NotNull(read);
        Assert.Equal(["mx.example", "other.example"], read.Names);
        Assert.Equal((KeyAlgorithm.Rsa, 2048, "CN=MX.example"), (read.Algorithm, read.KeyBits, read.Subject));
        Assert.Equal(TestCertificates.Now.AddDays(100), read.NotAfter);
    }

    [Fact]
    public void Nonsense_is_no_certificate()
    {
        Assert.Null(ServerCertificate.TryParse([0x30, 0x03, 1, 2, 3]));
        Assert.Null(ServerCertificate.TryParse([]));
    }
}
