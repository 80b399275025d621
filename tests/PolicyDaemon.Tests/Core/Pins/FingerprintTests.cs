using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Pins;
using Xunit;

namespace PolicyDaemon.Tests.Core.Pins;

public class FingerprintTests
{
    // Made for this test; the digests below are what `openssl x509 -noout -fingerprint -ALG` and
    // `openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -ALG -c` print for it.
    private const string Pem = """
        -----BEGIN CERTIFICATE-----
        MIIBiTCCAS+gAwIBAgIUGivqXwY0w+f4mXnI3T1tdsoegSAwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwObXguZXhhbXBsZS5jb20wIBcNMjYxMTIzMTgzOTUxWhgPMjEy
        NjEwMzAxODM5NTFaMBkxFzAVBgNVBAMMDm14LmV4YW1wbGUuY29tMFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAEWV3lkxtSHLAfCixB2P5oTybfHjc8fVlWK72q6TbY
        EIoCvjVwnC3pwTUSbfwo4dIwIjnRqvcKPqyAXHk1hA4Bx6NTMFEwHQYDVR0OBBYE
        FD7LSEXfXkxjxSR2GLZZwM0JaDQtMB8GA1UdIwQYMBaAFD7LSEXfXkxjxSR2GLZZ
        wM0JaDQtMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgH76lJMgp
        0ET0lTbZCGJjadFs+gdKMn1IHPeinvb1iVQCIQDmLnQmjhkdc3ouiPAhVbEzm1tx
        oZammlpVy3VjQTbo6A==
        -----END CERTIFICATE-----
        """;

    [Theory]
    [InlineData(DigestAlgorithm.Md5, "3E:A6:95:EE:92:37:F2:83:68:6F:85:9C:E5:B7:A8:1A", "9f:15:45:a5:50:38:7e:a5:6c:22:7e:81:6f:6c:84:1a")]
    [InlineData(DigestAlgorithm.Sha1, "E6:66:AE:05:E3:1B:E1:98:02:88:C2:2D:1A:7E:DE:A3:F9:7F:29:6C", "02:b9:0d:65:ef:dc:19:6f:b9:ad:06:01:5f:52:24:eb:dc:76:c5:f0")]
    [InlineData(
        DigestAlgorithm.Sha256,
        "7F:C5:DC:F6:1D:7C:4F:72:6A:4A:DA:4B:FE:AB:E8:91:2B:FA:E4:97:07:7D:8A:8A:61:FC:A5:18:0D:B8:BB:AE",
        "09:c5:a0:21:7f:06:6e:c1:2d:e3:33:e6:08:01:54:a7:e2:bc:1b:53:ae:e9:2d:e1:97:cc:33:84:66:e1:4b:29")]
    [InlineData(
        DigestAlgorithm.Sha512,
        "E6:4B:2B:2D:02:93:12:75:45:3F:98:11:FD:18:A1:C6:25:6B:B9:FE:C7:E3:12:8E:E7:82:E4:61:70:7F:97:2C:3D:BA:DE:28:55:A7:30:D8:B1:30:3C:28:E4:2E:31:E9:D7:5F:B6:19:5B:BE:68:C0:8A:69:A4:35:5C:CA:72:0D",
        "5a:8e:17:21:7f:41:5d:59:da:30:56:a7:18:29:bd:40:06:03:d5:f8:e7:e8:0b:b5:0e:15:1a:0a:d5:96:5f:55:c4:ea:4e:df:a8:19:de:d0:1f:0c:a8:f6:71:a6:72:96:49:da:48:b5:e2:5c:bb:1a:56:42:d8:8c:e8:2a:07:fb")]
    public void Digests_are_those_that_openssl_prints(DigestAlgorithm algorithm, string certificate, string publicKey)
    {
        using var parsed = X509Certificate2.CreateFromPem(Pem);

        Assert.Equal(Parse(certificate), Fingerprint.Compute(algorithm, parsed.RawData));
        Assert.Equal(Parse(publicKey), Fingerprint.Compute(algorithm, parsed.PublicKey.ExportSubjectPublicKeyInfo()));
        Assert.Equal(certificate, Fingerprint.Compute(algorithm, parsed.RawData).ToDisplayString());
        Assert.Equal(algorithm, Parse(certificate).Algorithm);
    }

    [Theory]
    [InlineData("adf3c3682bce8ddaa383ac84f65b52e0b488cd9b")]
    [InlineData("ADF3C3682BCE8DDAA383AC84F65B52E0B488CD9B")]
    [InlineData("AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B")]
    [InlineData("ad:f3:c3:68:2b:ce:8d:da:a3:83:ac:84:f6:5b:52:e0:b4:88:cd:9B")]
    [InlineData("adf3:c3682bce8ddaa383ac84f65b52e0b488:cd9b")]
    public void Letter_case_and_colons_make_no_difference(string text) =>
        Assert.Equal("adf3c3682bce8ddaa383ac84f65b52e0b488cd9b", Parse(text).Hex);

    [Theory] // util/hex_code.c and tls/tls_dane.c
    [InlineData("", "empty")]
    [InlineData("aa", "2 hexadecimal digits")]
    [InlineData(":adf3c3682bce8ddaa383ac84f65b52e0b488cd9b", "colon at character 1")]
    [InlineData("adf3c3682bce8ddaa383ac84f65b52e0b488cd9b:", "colon at character 41")]
    [InlineData("ad::f3c3682bce8ddaa383ac84f65b52e0b488cd9b", "colon at character 4")]
    [InlineData("a:df3c3682bce8ddaa383ac84f65b52e0b488cd9b", "colon at character 2")]
    [InlineData("adf3c3682bce8ddaa383ac84f65b52e0b488cd9", "39 hexadecimal digits")]
    [InlineData("sha256:7fc5dcf61d7c4f72", "not hexadecimal (character 1)")]
    [InlineData("adf3c3682bce8ddaa383ac84f65b52e0 b488cd9b", "not hexadecimal (character 33)")]
    [InlineData("rfPDaCvOjdqjg6yE9ltS4LSIzZs=", "base64")]
    [InlineData("adf3c3682bce8ddaa383ac84f65b52e0b488cd9\u0661", "not hexadecimal (character 40)")] // a digit, but not of ours
    public void What_Postfix_would_skip_is_refused_with_the_place(string text, string reason)
    {
        Assert.False(Fingerprint.TryParse(text, out _, out var said));
        Assert.Contains(reason, said, StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_192_characters_are_refused() =>
        Assert.False(Fingerprint.TryParse(new string('a', 193), out _, out _));

    [Fact]
    public void Every_length_names_its_algorithm()
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
            Assert.Equal(algorithm, Parse(new string('0', 2 * algorithm.Octets())).Algorithm);
    }

    [Fact]
    public void An_empty_value_is_a_broken_assumption() => Assert.Throws<InvalidOperationException>(() => default(Fingerprint).Hex);

    private static Fingerprint Parse(string text)
    {
        Assert.True(Fingerprint.TryParse(text, out var fingerprint, out var reason), reason);
        return fingerprint;
    }
}
