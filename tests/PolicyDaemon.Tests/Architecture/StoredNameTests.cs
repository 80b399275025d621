using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>
/// Names that stand in databases, audit hashes, JSON and main.cf. A new one is added to its list here; one that is listed never
/// changes, or stores and scripts of our users stop working.
/// </summary>
public class StoredNameTests
{
    [Fact]
    public void Pin_states_keep_their_names() =>
        AssertNames(PinNames.Name, (string name, out PinState value) => PinNames.TryParse(name, out value), "candidate", "standby", "active", "retiring", "retired", "rejected", "revoked");

    [Fact]
    public void Pin_strengths_keep_their_names() =>
        AssertNames(PinNames.Name, (string name, out PinStrength value) => PinNames.TryParse(name, out value), "tofu", "person", "webpki", "dane");

    [Fact]
    public void Pin_subjects_keep_their_names() =>
        AssertNames(PinNames.Name, (string name, out PinSubject value) => PinNames.TryParse(name, out value), "unknown", "certificate", "public-key");

    [Fact]
    public void Pin_modes_keep_their_names() =>
        AssertNames(PinNames.Name, (string name, out PinMode value) => PinNames.TryParse(name, out value), "locked", "assist", "auto");

    [Fact]
    public void Tls_levels_keep_their_names() =>
        AssertNames(TlsLevels.Name, (string name, out TlsLevel value) => TlsLevels.TryParse(name, out value), "none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure", "default", "discovered");

    [Fact]
    public void Floors_keep_their_names() =>
        AssertNames(DiscoveryFloors.Name, (string name, out DiscoveryFloor value) => DiscoveryFloors.TryParse(name, out value), "none", "encrypt", "secure", "dane-only");

    [Fact]
    public void Digest_algorithms_keep_their_names() =>
        AssertNames(DigestAlgorithms.Name, (string name, out DigestAlgorithm value) => DigestAlgorithms.TryParse(name, out value), "md5", "sha1", "sha256", "sha512");

    [Fact]
    public void Audit_actions_keep_their_names() =>
        AssertNames(AuditActions.Name, (string name, out AuditAction value) => AuditActions.TryParse(name, out value), "add", "change", "remove", "init", "accept", "migrate");

    [Fact]
    public void Kinds_of_finding_keep_their_names() =>
        AssertNames(
            FindingKinds.Name, (string name, out FindingKind value) => FindingKinds.TryParse(name, out value),
            "near-miss", "store-unavailable", "store-damaged", "store-replaced", "entry-not-servable", "snapshot-not-saved", "audit-broken",
            "new-key", "pin-mismatch", "rejected-key-seen", "starttls-gone", "plaintext-injected", "tlsa-mismatch", "dnssec-lost",
            "mx-set-replaced", "weaker-key", "rotating-too-often", "pin-held", "too-many-keys", "pin-in-other-digest",
            "destination-unreachable", "brake-on", "dns-trouble", "resolver-not-validating", "nothing-to-probe", "level-not-met",
            "resolver-half-tested", "alert-not-delivered", "clock-jumped", "network-trouble",
            "policy-covers-none", "policy-not-renewed", "policy-lapsed", "answer-too-long", "discovery-trouble", "revoked-key-seen",
            "entry-ended", "floor-not-met", "pin-beside-dane", "pin-beside-policy", "entry-below-published", "exemption-outlived",
            "node-stale", "node-clock", "node-digest", "node-version", "node-twice",
            "configuration-unusable", "delivery-deferred", "nobody-probes");

    [Fact]
    public void Severities_keep_their_names() =>
        AssertNames(
            FindingSeverities.Name, (string name, out FindingSeverity value) => FindingSeverities.TryParse(name, out value),
            "mail-waits", "mail-will-wait", "look-at-it", "for-information");

    [Fact]
    public void Answers_of_discovery_keep_their_names() =>
        AssertNames(DiscoveryNames.Name, (string name, out DiscoveredAnswer value) => DiscoveryNames.TryParse(name, out value), "not-found", "dane", "secure", "dane-only");

    [Fact]
    public void Rows_of_discovery_keep_their_names() =>
        AssertNames(
            DiscoveryNames.Name, (string name, out DiscoveryRow value) => DiscoveryNames.TryParse(name, out value),
            "resolver", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "14", "host");

    [Fact]
    public void Remarks_of_discovery_keep_their_names() =>
        AssertNames(
            DiscoveryRemarkNames.Name, (string name, out DiscoveryRemarkKind value) => DiscoveryRemarkNames.TryParse(name, out value),
            "mx-outside-policy", "partial-dane", "unusable-tlsa", "tlsa-lookup-failed", "mx-unsigned", "mx-lookup-failed", "no-mail", "no-address",
            "mx-is-address", "policy-covers-none", "record-broken", "policy-not-fetched", "policy-short-lived", "policy-not-renewed",
            "policy-changed-silently", "policy-lapsed", "answer-too-long");

    [Fact]
    public void Modes_of_mta_sts_keep_their_names() =>
        AssertNames(StsModes.Name, (string name, out StsMode value) => StsModes.TryParse(name, out value), "none", "testing", "enforce");

    [Fact]
    public void Names_that_are_only_shown_are_kept_too()
    {
        Assert.Equal(
            ["not-applicable", "absent", "valid", "dns-failure", "sts-policy-fetch-error", "sts-webpki-invalid", "sts-policy-invalid"],
            Enum.GetValues<StsStatus>().Select(StsStatuses.Name));
        Assert.Equal(["none", "entry", "parent", "discovery", "default"], Enum.GetValues<Origin>().Select(Origins.Name));
        Assert.Equal(["temporary", "found", "not-found", "permanent", "discovered"], Enum.GetValues<LookupAnswerKind>().Select(LookupAnswerKinds.Name));
        Assert.Equal(["ok", "note", "warning", "problem"], Enum.GetValues<SetupSeverity>().Select(SetupSeverities.Name));
        Assert.Equal(["socketmap", "tcp_table"], Enum.GetValues<MapProtocol>().Select(MapProtocols.Name));
    }

    [Fact]
    public void Maps_keep_their_names() => Assert.Equal(["tlspolicy", "tlspolicy-tlsrpt"], MapNames.All);

    [Theory]
    [InlineData("")]
    [InlineData("halfdane")]
    [InlineData("ACTIVE ")]
    [InlineData(null)]
    public void An_unknown_name_is_nothing(string? name)
    {
        Assert.False(PinNames.TryParse(name, out PinState _));
        Assert.False(TlsLevels.TryParse(name, out _));
        Assert.False(DigestAlgorithms.TryParse(name, out _));
        Assert.False(FindingKinds.TryParse(name, out FindingKind _));
        Assert.False(AuditActions.TryParse(name, out _));
    }

    private delegate bool TryParse<T>(string name, out T value);

    private static void AssertNames<T>(Func<T, string> nameOf, TryParse<T> tryParse, params string[] names)
        where T : struct, Enum
    {
        Assert.Equal(names, Enum.GetValues<T>().Select(nameOf));
        foreach (var value in Enum.GetValues<T>())
        {
            Assert.True(tryParse(nameOf(value), out var read));
            Assert.Equal(value, read);
        }
    }
}
