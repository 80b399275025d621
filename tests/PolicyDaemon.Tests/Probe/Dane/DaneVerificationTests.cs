using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Dane;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Dane;

public sealed class DaneVerificationTests
{
    private static readonly X509Certificate2 Leaf = TestCertificates.Issued("mx.example");
    private static readonly X509Certificate2 Stranger = TestCertificates.SelfSigned("mx.example");

    [Theory]
    [InlineData(3, 0, 0)]
    [InlineData(3, 0, 1)]
    [InlineData(3, 0, 2)]
    [InlineData(3, 1, 0)]
    [InlineData(3, 1, 1)]
    [InlineData(3, 1, 2)]
    public void A_record_of_the_servers_own_certificate_or_key_matches(byte usage, byte selector, byte type)
    {
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, Record(usage, selector, type, Leaf)));
        Assert.Equal(DaneVerdict.Mismatch, Judge(Leaf, Record(usage, selector, type, Stranger)));
    }

    [Fact]
    public void One_match_among_several_records_is_enough()
    {
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, Record(3, 1, 1, Stranger), Record(3, 1, 1, Leaf)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void PKIX_usages_are_not_usable_for_mail(byte usage)
    {
        Assert.Equal(DaneVerdict.Unusable, Judge(Leaf, Record(usage, 1, 1, Leaf)));
    }

    [Fact]
    public void A_digest_of_the_wrong_length_is_not_usable()
    {
        Assert.Equal(DaneVerdict.Unusable, Judge(Leaf, new TlsaRecord(3, 1, 1, [1, 2, 3])));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    public void A_record_of_the_issuer_matches_a_chain_that_the_server_sends(byte selector, byte type)
    {
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, [TestCertificates.Root], "example.com", Record(2, selector, type, TestCertificates.Root)));
    }

    [Fact]
    public void A_record_of_the_issuer_needs_the_chain()
    {
        Assert.Equal(DaneVerdict.Mismatch, Judge(Leaf, [], "example.com", Record(2, 1, 1, TestCertificates.Root)));
    }

    [Fact]
    public void A_stranger_that_sends_the_issuer_beside_its_own_certificate_does_not_match()
    {
        Assert.Equal(
            DaneVerdict.Mismatch, Judge(Stranger, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
    }

    [Fact]
    public void Under_a_record_of_the_issuer_the_name_counts()
    {
        using var other = TestCertificates.Issued("mx.elsewhere.test");

        Assert.Equal(DaneVerdict.Mismatch, Judge(other, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
    }

    [Fact]
    public void Under_a_record_of_the_issuer_the_next_hops_name_will_do()
    {
        using var domain = TestCertificates.Issued("example.com");

        Assert.Equal(DaneVerdict.Match, Judge(domain, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
    }

    [Fact]
    public void Under_a_record_of_the_issuer_the_date_counts_and_under_one_of_the_server_it_does_not()
    {
        using var expired = TestCertificates.Create(["mx.example"], selfSigned: false, notAfter: TestCertificates.Now.AddDays(-1));

        Assert.Equal(DaneVerdict.Mismatch, Judge(expired, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
        Assert.Equal(DaneVerdict.Match, Judge(expired, Record(3, 1, 1, expired)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_record_with_the_whole_issuer_or_its_whole_key_needs_no_chain(byte selector)
    {
        using var other = TestCertificates.Issued("mx.elsewhere.test");
        using var expired = TestCertificates.Create(["mx.example"], selfSigned: false, notAfter: TestCertificates.Now.AddDays(-1));
        var issuer = Record(2, selector, 0, TestCertificates.Root);

        Assert.Equal(DaneVerdict.Match, Judge(Leaf, [], "example.com", issuer));
        Assert.Equal(DaneVerdict.Mismatch, Judge(Stranger, [], "example.com", issuer));
        Assert.Equal(DaneVerdict.Mismatch, Judge(other, [], "example.com", issuer));
        Assert.Equal(DaneVerdict.Mismatch, Judge(expired, [], "example.com", issuer));
    }

    [Fact]
    public void Of_two_digests_only_the_stronger_counts_and_whole_octets_always()
    {
        Assert.Equal(DaneVerdict.Mismatch, Judge(Leaf, Record(3, 1, 1, Leaf), Record(3, 1, 2, Stranger)));
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, Record(3, 1, 1, Stranger), Record(3, 1, 2, Leaf)));
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, Record(3, 1, 0, Leaf), Record(3, 1, 2, Stranger)));
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, Record(3, 0, 1, Leaf), Record(3, 1, 2, Stranger)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Octets_that_are_no_certificate_or_key_are_not_usable(byte selector)
    {
        Assert.Equal(DaneVerdict.Unusable, Judge(Leaf, new TlsaRecord(3, selector, 0, [1, 2, 3])));
        Assert.Equal(DaneVerdict.Match, Judge(Leaf, new TlsaRecord(3, selector, 0, [1, 2, 3]), Record(3, 1, 1, Leaf)));
    }

    [Fact]
    public void Under_a_record_of_the_issuer_the_certificate_must_be_for_servers()
    {
        using var client = TestCertificates.Create(["mx.example"], selfSigned: false, extensions:
            [new X509EnhancedKeyUsageExtension([new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2")], false)]);

        Assert.Equal(DaneVerdict.Mismatch, Judge(client, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
        Assert.Equal(DaneVerdict.Match, Judge(client, Record(3, 1, 1, client)));
    }

    [Fact]
    public void Policies_of_issuance_that_an_issuer_requires_are_not_asked_for()
    {
        // PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] } (RFC 5280 section 4.2.1.11), and no policy in the certificate.
        using var leaf = TestCertificates.Create(["mx.example"], selfSigned: false, extensions: [new X509Extension("2.5.29.36", [0x30, 0x03, 0x80, 0x01, 0x00], true)]);

        Assert.Equal(DaneVerdict.Match, Judge(leaf, [TestCertificates.Root], "example.com", Record(2, 1, 1, TestCertificates.Root)));
    }

    [Fact]
    public void The_names_are_the_TLSA_base_domain_and_the_destination_under_each_of_its_names()
    {
        using var alias = TestCertificates.Issued("mx.alias.example");
        using var canonical = TestCertificates.Issued("canonical.example");
        var host = Host(Record(2, 1, 1, TestCertificates.Root)) with { Name = "mx.alias.example", CanonicalName = "mx.example" };
        var (resolution, renamed) = (Resolution("example.com"), Resolution("example.com") with { CanonicalName = "canonical.example" });
        DaneVerdict With(X509Certificate2 certificate, MxResolution how) =>
            DaneVerification.Judge(host, how, Seen(certificate, [TestCertificates.Root]), TestCertificates.Now);

        Assert.Equal(DaneVerdict.Match, With(Leaf, resolution));
        Assert.Equal(DaneVerdict.Mismatch, With(alias, resolution));
        Assert.Equal(DaneVerdict.Mismatch, With(canonical, resolution));
        Assert.Equal(DaneVerdict.Match, With(canonical, renamed));
        Assert.Equal(DaneVerdict.Mismatch, With(canonical, renamed with { HostIsGiven = true }));
    }

    [Theory]
    [InlineData(DnssecStatus.Insecure, DnssecStatus.Secure, DaneVerdict.None)]
    [InlineData(DnssecStatus.Secure, DnssecStatus.Insecure, DaneVerdict.None)]
    [InlineData(DnssecStatus.Unknown, DnssecStatus.Insecure, DaneVerdict.None)]
    [InlineData(DnssecStatus.Unknown, DnssecStatus.Secure, DaneVerdict.Unjudged)]
    [InlineData(DnssecStatus.Unknown, DnssecStatus.Unknown, DaneVerdict.Unjudged)]
    [InlineData(DnssecStatus.Bogus, DnssecStatus.Secure, DaneVerdict.Unknown)]
    public void Records_that_are_not_secure_say_nothing(DnssecStatus tlsa, DnssecStatus address, DaneVerdict expected)
    {
        var host = Host(Record(3, 1, 1, Leaf)) with { TlsaDnssec = tlsa, AddressDnssec = address };

        Assert.Equal(expected, DaneVerification.Judge(host, Resolution("example.com"), Seen(Leaf, []), TestCertificates.Now));
        Assert.Empty(DaneVerification.SecureRecords(host));
    }

    [Fact]
    public void An_address_has_no_records_whatever_the_resolver()
    {
        var host = Host() with { Name = "192.0.2.1", TlsaDnssec = DnssecStatus.Unknown, AddressDnssec = DnssecStatus.Unknown };

        Assert.Equal(DaneVerdict.None, DaneVerification.Judge(host, Resolution("[192.0.2.1]"), Seen(Leaf, []), TestCertificates.Now));
    }

    [Fact]
    public void A_failed_lookup_is_not_an_absence()
    {
        var host = Host() with { TlsaFailed = true };

        Assert.Equal(DaneVerdict.Unknown, DaneVerification.Judge(host, Resolution("example.com"), Seen(Leaf, []), TestCertificates.Now));
    }

    private static DaneVerdict Judge(X509Certificate2 leaf, params TlsaRecord[] records) => Judge(leaf, [], "example.com", records);

    private static DaneVerdict Judge(X509Certificate2 leaf, X509Certificate2[] sent, string nextHop, params TlsaRecord[] records) =>
        DaneVerification.Judge(Host(records), Resolution(nextHop), Seen(leaf, sent), TestCertificates.Now);

    private static MxResolution Resolution(string nextHop) => new()
    {
        NextHop = NextHop.Parse(nextHop), At = TestCertificates.Now, Port = 25, Outcome = DnsOutcome.Found,
    };

    private static MxHost Host(params TlsaRecord[] records) => new()
    {
        Name = "mx.example",
        TlsaBase = "mx.example",
        Tlsa = [.. records],
        TlsaDnssec = DnssecStatus.Secure,
        AddressDnssec = DnssecStatus.Secure,
    };

    private static CertificateRun Seen(X509Certificate2 leaf, X509Certificate2[] sent) =>
        CertificateRun.Begin(KeyAlgorithm.Ecdsa, ServerCertificate.TryParse(leaf.RawData), TestCertificates.Now, trusted: false) with
        {
            Intermediates = [.. sent.Select(one => System.Collections.Immutable.ImmutableArray.Create(one.RawData))],
        };

    private static TlsaRecord Record(byte usage, byte selector, byte type, X509Certificate2 certificate)
    {
        var octets = selector == 0 ? certificate.RawData : certificate.PublicKey.ExportSubjectPublicKeyInfo();
        return new TlsaRecord(usage, selector, type, type switch
        {
            0 => [.. octets],
            1 => [.. Convert.FromHexString(Fingerprint.Compute(DigestAlgorithm.Sha256, octets).Hex)],
            _ => [.. Convert.FromHexString(Fingerprint.Compute(DigestAlgorithm.Sha512, octets).Hex)],
        });
    }
}
