using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Probe.Certificates;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Certificates;

/// <summary>As Postfix 3.7 judges the same chains: the forecasts against a real one are in <c>tests/run outlook</c>.</summary>
public sealed class ChainRulesTests
{
    [Theory]
    [InlineData(X509KeyUsageFlags.DigitalSignature, true)]
    [InlineData(X509KeyUsageFlags.KeyEncipherment, true)]
    [InlineData(X509KeyUsageFlags.KeyAgreement, true)]
    [InlineData(X509KeyUsageFlags.KeyCertSign, false)]
    [InlineData(X509KeyUsageFlags.CrlSign, false)]
    [InlineData(X509KeyUsageFlags.NonRepudiation, false)]
    [InlineData(X509KeyUsageFlags.DataEncipherment, false)]
    [InlineData(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true)]
    public void A_server_has_a_key_usage_for_TLS_if_it_has_any(X509KeyUsageFlags usage, bool isGood) =>
        Assert.Equal(isGood, Problem(0, new X509KeyUsageExtension(usage, critical: true)) is null);

    [Theory]
    [InlineData(new byte[] { 3, 2, 6, 0x40 }, true)]
    [InlineData(new byte[] { 3, 2, 6, 0xC0 }, true)]
    [InlineData(new byte[] { 3, 2, 7, 0x80 }, false)]
    [InlineData(new byte[] { 3, 1, 0 }, false)]
    public void So_has_the_old_certificate_type_of_Netscape(byte[] type, bool isGood) =>
        Assert.Equal(isGood, Problem(0, new X509Extension("2.16.840.1.113730.1.1", type, critical: false)) is null);

    [Theory]
    [InlineData(true, "1.3.6.1.5.5.7.3.1")]
    [InlineData(true, "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.1")]
    [InlineData(true, "1.3.6.1.4.1.311.10.3.3")] // server-gated cryptography
    [InlineData(true, "2.16.840.1.113730.4.1")]
    [InlineData(false, "1.3.6.1.5.5.7.3.2")]
    [InlineData(false, "2.5.29.37.0")] // anyExtendedKeyUsage
    public void Purposes_name_servers_if_they_name_anything(bool isGood, params string[] purposes)
    {
        var oids = new OidCollection();
        foreach (var purpose in purposes)
            oids.Add(new Oid(purpose));

        Assert.Equal(isGood, Problem(0, new X509EnhancedKeyUsageExtension(oids, false)) is null);
        Assert.Equal(isGood, Problem(Issue("root", null, true), [new X509EnhancedKeyUsageExtension(oids, false)]) is null);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(10, true)]
    [InlineData(11, false)]
    [InlineData(12, false)]
    public void A_chain_has_so_many_intermediates_at_most(int intermediates, bool isGood) =>
        Assert.Equal(isGood, Problem(intermediates) is null);

    /// <summary>Of a chain whose intermediate has these extensions.</summary>
    private static string? Problem(X509Certificate2 root, X509Extension[] ofIntermediate)
    {
        using var chain = Chain();
        chain.ChainPolicy.CustomTrustStore.Add(root);
        var issuer = Issue("intermediate", root, true, ofIntermediate);
        chain.ChainPolicy.ExtraStore.Add(issuer);
        Assert.True(chain.Build(Issue("mx.example", issuer, false)));
        return ChainRules.Problem(chain, 2);
    }

    private static X509Chain Chain()
    {
        var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.VerificationTime = TestCertificates.Now.UtcDateTime;
        return chain;
    }

    private static string? Problem(int intermediates, params X509Extension[] extensions)
    {
        using var chain = Chain();
        var root = Issue("root", null, true);
        chain.ChainPolicy.CustomTrustStore.Add(root);
        var issuer = root;
        for (var i = 0; i < intermediates; i++)
        {
            issuer = Issue($"intermediate {i}", issuer, true);
            chain.ChainPolicy.ExtraStore.Add(issuer);
        }

        Assert.True(chain.Build(Issue("mx.example", issuer, false, extensions)));
        Assert.Equal(intermediates + 2, chain.ChainElements.Count);
        return ChainRules.Problem(chain, chain.ChainElements.Count - 1);
    }

    private static X509Certificate2 Issue(string name, X509Certificate2? issuer, bool isAuthority, params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        foreach (var extension in extensions)
            request.CertificateExtensions.Add(extension);
        var (from, until) = (TestCertificates.Now.AddDays(-10), TestCertificates.Now.AddDays(10));
        if (issuer is null)
            return request.CreateSelfSigned(from, until);
        using var signer = issuer.GetECDsaPrivateKey()!;
        var issued = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), from, until, RandomNumberGenerator.GetBytes(16));
        return isAuthority ? issued.CopyWithPrivateKey(key) : issued;
    }
}
