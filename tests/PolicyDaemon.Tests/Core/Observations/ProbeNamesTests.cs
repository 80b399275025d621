using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Observations;

/// <summary>These names stand in stores, JSON and audit rows; one that is listed here never changes.</summary>
public sealed class ProbeNamesTests
{
    [Fact]
    public void Outcomes_keep_their_names_and_result_types()
    {
        Assert.Equal(
            "secured connection-refused unreachable timeout connection-lost greeting-temporary greeting-permanent ehlo-refused "
            + "starttls-not-supported starttls-refused handshake-failed plaintext-injected reply-too-long protocol-error "
            + "address-not-allowed certificate-expired certificate-host-mismatch certificate-not-trusted pin-mismatch tlsa-mismatch "
            + "tlsa-invalid no-mx null-mx dns-failure dnssec-invalid dane-required tls-too-old tls-anonymous "
            + "certificate-too-weak",
            string.Join(' ', Enum.GetValues<ProbeOutcome>().Select(ProbeOutcomes.Name)));
        // RFC 8460 section 4.3: the types that exist, and no other.
        string[] types =
        [
            "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
            "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required",
        ];
        Assert.All(Enum.GetValues<ProbeOutcome>(), outcome => Assert.True(outcome.ResultType() is null || types.Contains(outcome.ResultType())));
        Assert.All(Enum.GetValues<ProbeOutcome>(), outcome => Assert.True(ProbeOutcomes.TryParse(outcome.Name(), out var read) && read == outcome));
        Assert.False(ProbeOutcomes.TryParse("nonsense", out _));
    }

    [Fact]
    public void The_smaller_names_keep()
    {
        Assert.Equal("connect greeting ehlo starttls handshake secure-ehlo quit", All<ProbeStage>(ProbeStages.Name));
        Assert.Equal("rsa ecdsa eddsa other", All<KeyAlgorithm>(KeyAlgorithms.Name));
        Assert.Equal("trusted expired not-trusted", All<ChainVerdict>(ChainVerdicts.Name));
        Assert.Equal("found no-mx null-mx no-address dns-failure bogus", All<DnsOutcome>(DnsOutcomes.Name));
        Assert.Equal("unknown insecure secure bogus", All<DnssecStatus>(DnssecStatuses.Name));
        Assert.Equal("none match mismatch unusable unknown unjudged", All<DaneVerdict>(DaneVerdicts.Name));
        Assert.Equal("unknown ok degraded mismatch unreachable", All<DestinationVerdict>(DestinationVerdicts.Name));
        Assert.Equal(
            "first-seen announced key-beside-certificate converted dane webpki first-use replaced grace-over standby-expired candidate-gone made-way",
            All<RotationRule>(RotationRules.Name));
    }

    [Fact]
    public void Names_are_read_back()
    {
        Assert.True(ProbeStages.TryParse("starttls", out var stage) && stage == ProbeStage.StartTls);
        Assert.True(KeyAlgorithms.TryParse("eddsa", out var algorithm) && algorithm == KeyAlgorithm.EdDsa);
        Assert.True(ChainVerdicts.TryParse("expired", out var chain) && chain == ChainVerdict.Expired);
        Assert.True(DnssecStatuses.TryParse("bogus", out DnssecStatus dnssec) && dnssec == DnssecStatus.Bogus);
        Assert.True(DaneVerdicts.TryParse("mismatch", out var dane) && dane == DaneVerdict.Mismatch);
        Assert.True(DestinationVerdicts.TryParse("degraded", out var verdict) && verdict == DestinationVerdict.Degraded);
        Assert.False(DestinationVerdicts.TryParse("", out _));
    }

    [Theory] // the outcome of a lookup was an outcome of probes
    [InlineData("secured", DnsOutcome.Found)]
    [InlineData("dnssec-invalid", DnsOutcome.Bogus)]
    [InlineData("no-mx", DnsOutcome.NoMx)]
    [InlineData("dns-failure", DnsOutcome.Failed)]
    public void What_an_older_store_says_of_a_lookup_is_read(string name, DnsOutcome outcome) =>
        Assert.True(DnsOutcomes.TryParse(name, out var read) && read == outcome);

    private static string All<T>(Func<T, string> name)
        where T : struct, Enum => string.Join(' ', Enum.GetValues<T>().Select(name));
}
