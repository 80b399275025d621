using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Store.Probing;

/// <summary>A store with a ledger over it, and servers that show certificates.</summary>
internal sealed class LedgerFixture : IDisposable
{
    private static readonly Lazy<ServerCertificate[]> Certificates = new(() =>
        [.. Enumerable.Range(0, 4).Select(i => Read(i == 3, $"mx{i}.example"))]);

    internal LedgerFixture(bool create = true)
    {
        Store = new TemporaryStore(create);
        Ledger = Open();
    }

    internal TemporaryStore Store { get; }

    internal ProbeLedger Ledger { get; set; }

    internal DateTimeOffset Now => Store.Time.GetUtcNow();

    /// <summary>Four real certificates; the last has an RSA key.</summary>
    internal static ServerCertificate Certificate(int number) => Certificates.Value[number];

    internal static Fingerprint KeyOf(int number, DigestAlgorithm digest = DigestAlgorithm.Sha256) => Certificate(number).Digest(PinSubject.PublicKey, digest);

    internal static ProbeTarget Target(int number) => new(IPAddress.Parse($"192.0.2.{number}"), 25);

    internal static Pin Pin(int key, PinState state = PinState.Active, DigestAlgorithm digest = DigestAlgorithm.Sha256) =>
        new(KeyOf(key, digest), PinSubject.PublicKey, state, PinStrength.Person, DateTimeOffset.UnixEpoch.AddDays(20000));

    internal ProbeLedger Open(TimeSpan? patience = null) => new(Store.Path, PostfixSettings.Default, Store.Time, patience ?? TimeSpan.FromSeconds(5));

    internal void Add(string key, params Pin[] pins) => Store.Put(TemporaryStore.Pinned(key, pins));

    internal Observation Observation(int target, ProbeOutcome outcome, params int[] certificates) => new()
    {
        Target = Target(target),
        At = Now.AddMilliseconds(123),
        Outcome = outcome,
        Stage = outcome == ProbeOutcome.Secured ? ProbeStage.Quit : ProbeStage.Greeting,
        Detail = "in its words",
        ReplyCode = outcome == ProbeOutcome.Secured ? null : 450,
        Certificates = [.. certificates.Select(number => new PresentedCertificate(
            Certificate(number), [[1, 2, 3], [4]], number == 0 ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, "self-signed", "TLSv1.3", "TLS_AES_256_GCM_SHA384"))],
        Timings = [new StageTiming(ProbeStage.Connect, TimeSpan.FromMilliseconds(12))],
        Transcript = ["S: 220 hello", "C: QUIT"],
    };

    /// <summary>A probe of a server, recorded.</summary>
    internal AddressHistory See(int target, params int[] certificates) =>
        Record(Observation(target, certificates.Length == 0 ? ProbeOutcome.Timeout : ProbeOutcome.Secured, certificates));

    internal AddressHistory Record(Observation observation)
    {
        Ledger.Record(observation);
        return Ledger.ReadHistory(observation.Target);
    }

    internal static MxResolution Resolution(string key, DateTimeOffset at, params int[] targets) => new()
    {
        NextHop = NextHop.Parse(key),
        At = at,
        Port = 25,
        Outcome = DnsOutcome.Found,
        MxDnssec = DnssecStatus.Secure,
        Hosts = [.. targets.Select(target => new MxHost
        {
            Name = $"mx{target}.example",
            Preference = 10,
            Addresses = [Target(target).Address],
            AddressDnssec = DnssecStatus.Secure,
            TlsaBase = $"mx{target}.example",
            Tlsa = [new TlsaRecord(3, 1, 1, [.. Convert.FromHexString(KeyOf(0).Hex)])],
            TlsaDnssec = DnssecStatus.Insecure,
        })],
    };

    internal ProbeResult Result(string key, params PinTransition[] transitions) => new()
    {
        Key = NextHop.Parse(key),
        At = Now.AddMilliseconds(456),
        Resolution = Resolution(key, Now, 1),
        Targets = [new MxTarget("mx1.example", Target(1), Now.AddMilliseconds(456))],
        SecureSince = Now.AddDays(-1),
        WasSecure = true,
        TrustedHosts = ["mx1.example"],
        Result = new RotationResult([.. transitions], [], DestinationVerdict.Ok, NewKeySeen: false, SeesServedPin: true, ReconsiderAt: null),
        NextDue = Now.AddHours(24),
    };

    internal static PinTransition Move(int key, PinState? from, PinState to, RotationRule rule, DigestAlgorithm digest = DigestAlgorithm.Sha256) => new(
        KeyOf(key, digest), PinSubject.PublicKey, from, to,
        rule switch { RotationRule.Dane => PinStrength.Dane, RotationRule.WebPki => PinStrength.WebPki, _ => PinStrength.Tofu }, rule, $"because of {rule}");

    internal static Finding Finding(FindingKind kind, string detail = "what was seen") => new(kind, "example.com", detail, "policyctl pin approve", DateTimeOffset.UnixEpoch)
    {
        Outcome = ProbeOutcome.PinMismatch,
        Expected = [KeyOf(0)],
        Seen = [new PresentedKey("mx1.example", Target(1), KeyOf(1), Certificate(1).Id, DateTimeOffset.UnixEpoch.AddDays(20000))],
    };

    internal static ProbeResult With(ProbeResult result, params Finding[] findings) =>
        result with
        {
            Result = result.Result with { Findings = [.. findings.Select(finding => finding with { Subject = result.Key.Text, Since = result.At })] },
        };

    internal PinState? StateOf(string key, int pin, DigestAlgorithm digest = DigestAlgorithm.Sha256) =>
        Store.Find(key)?.Pins.FirstOrDefault(known => known.Fingerprint == KeyOf(pin, digest))?.State;

    internal long Count(string table) => (long)Scalar($"SELECT count(*) FROM {table}")!;

    internal object? Scalar(string sql) => Store.Scalar(sql);

    public void Dispose()
    {
        Ledger.Dispose();
        Store.Dispose();
    }

    private static ServerCertificate Read(bool rsa, string name)
    {
        using var certificate = TestCertificates.Create([name], selfSigned: true, rsa);
        return ServerCertificate.TryParse(certificate.RawData)!;
    }
}

/// <summary>Recording for tests that wait for each record before they go on.</summary>
internal static class LedgerRecording
{
    internal static void Record(this ProbeLedger ledger, Observation observation) => ledger.RecordAsync(observation).GetAwaiter().GetResult();

    internal static void Record(this ProbeLedger ledger, ProbeResult result) => ledger.RecordAsync(result).GetAwaiter().GetResult();
}
