using System.Collections.Immutable;
using System.Text;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>Probes a destination, configured or not, and stores nothing: DNS and every server, the MTA-STS policy, and what the store says of it.</summary>
public sealed class DestinationCheck(Settings settings, TimeProvider time)
{
    /// <summary>Where MTA-STS policies are fetched.</summary>
    public int PolicyPort { get; init; } = StsOptions.HttpsPort;

    /// <summary>The version of the program, for the record.</summary>
    public string Version { get; init; } = "";

    /// <param name="key">The destination.</param>
    /// <param name="probeAs">Hosts to probe for a key with a leading dot; empty: those of its entry.</param>
    /// <param name="progress">Told after each address how many are done and how many there are.</param>
    /// <param name="cancellation">Ends it without a result.</param>
    public async Task<CheckResult> RunAsync(
        NextHop key, ImmutableArray<string> probeAs, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        var known = KnownBefore.Read(key, settings, time);
        using var claims = AddressClaims.For(settings.Database, time, isOptional: true);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time) { Claims = claims };
        ImmutableArray<DnsAnswer> answers = [];
        prober.Resolver.Read = reading => answers = reading.Used;
        var servers = new RecordingServers(prober.Probe);
        var discovers = DiscoverAsync(prober, key, known.Memory, cancellation);
        using var probe = prober.CreateDestinationProbe(prober.Resolver, servers);
        var probed = await probe.RunAsync(StateOf(key, known.Entry ?? known.Everybody, probeAs), triesServerNames: true, progress, cancellation);
        var evidence = await discovers;
        var record = new CheckRecord
        {
            Format = CheckRecord.CurrentFormat,
            Version = Version,
            Key = key,
            ProbeAs = probeAs,
            At = time.GetUtcNow(),
            Configuration = CheckRecordTexts.Configuration(settings),
            Entry = CheckRecordTexts.Row(known.Entry),
            Everybody = CheckRecordTexts.Row(known.Everybody),
            ParentAnswers = known.ParentAnswers,
            NearMiss = known.IsNearMiss,
            StoreProblem = known.Problem,
            TestPassed = prober.Resolver.Test?.Passed,
            TestDetail = prober.Resolver.Test?.Detail,
            TestAt = prober.Resolver.Test?.At,
            Answers = answers,
            Discovery = evidence,
            Observations = servers.Observations,
        };
        return Judge(record, probed, known, prober.Resolver.Test);
    }

    /// <summary>Comes to the report of a record again; nobody is asked. The findings that were open then are not in it.</summary>
    /// <param name="record">The record.</param>
    /// <param name="file">Where it came from, for messages.</param>
    /// <exception cref="FormatException">Its settings or its entry cannot be read.</exception>
    public static async Task<CheckResult> ReplayAsync(CheckRecord record, string file, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(record);
        Settings settings;
        try
        {
            settings = SettingsReader.Parse(file, Encoding.UTF8.GetBytes(record.Configuration));
        }
        catch (ConfigurationException fault)
        {
            throw new FormatException($"its configuration cannot be used: {fault.Message}", fault);
        }

        var time = new RecordedTime(record.At);
        var known = KnownBefore.Of(record, settings.Postfix);
        var network = new RecordedNetwork(record);
        // Its chains were judged then; the file of authorities need not be here.
        using var prober = new ProberComposition(settings.Probe with { CaFile = settings.Probe.CaFile with { Text = "" } }, settings.Postfix, time);
        using var probe = prober.CreateDestinationProbe(network, network);
        var probed = await probe.RunAsync(StateOf(record.Key, known.Entry ?? known.Everybody, record.ProbeAs), triesServerNames: true, null, cancellation);
        return new DestinationCheck(settings, time).Judge(
            record, probed, known, record.TestPassed is { } passed ? new ResolverTest(passed, record.TestAt ?? record.At, record.TestDetail) : null);
    }

    private CheckResult Judge(CheckRecord record, ProbedDestination probed, KnownBefore known, ResolverTest? test)
    {
        var key = record.Key;
        var discovered = IsDiscovered(key, known.Entry) && record.Discovery is { } evidence
            ? DiscoveredState.Of(key, DiscoveryDecision.Of(evidence, spread: 1), settings, record.At)
            : null;
        var (answerer, entry) = CheckAnswer.Of(key, known, discovered, settings);
        var open = known.Open.Where(finding => finding.Subject == entry?.Key.Text).ToList();
        return new CheckResult
        {
            Key = key,
            At = record.At,
            Settings = settings,
            Probed = probed,
            Test = test,
            Sts = StsDiscovery.Of(record.Discovery),
            Entry = entry,
            Answerer = answerer,
            StoreProblem = known.Problem,
            DaemonAbsence = entry is { Observe: false } ? known.DaemonAbsence : null,
            Findings = entry is null ? [] : [.. open, .. probed.Recorded.Result.Findings.Beside(open)],
            Levels = probed.Addresses.IsEmpty ? [] : LevelForecasts.Of(
                probed.Resolution,
                new ShownAddresses(
                    [.. probed.Addresses.Select(address => address.PlainState)], [.. probed.Addresses.Select(address => address.NamedState)],
                    [.. probed.Addresses.Select(address => address.DaneState)]),
                settings.Postfix),
            AtEntry = entry is null or { Policy.Level: TlsLevel.AsDiscovered } || probed.Addresses.IsEmpty ? null : MailForecast.Of(
                new DeliveryRules(Policy(entry, key), settings.Postfix), probed.Addresses.Select(address => address.State)),
            Discovered = discovered,
            AtDiscovered = discovered?.Verdict is { } verdict && DiscoveredReply.Policy(verdict) is { } policy && !probed.Addresses.IsEmpty
                ? MailForecast.Of(
                    new DeliveryRules(DeliveryPolicy.Of(policy, key), settings.Postfix),
                    probed.Addresses.Select(address => policy.Level == TlsLevel.Secure ? address.NamedState : address.DaneState))
                : null,
            Record = record,
        };
    }

    /// <summary>Discovers the domain, whether discovery is on or not: MTA-STS is a part of every report.</summary>
    private async Task<DiscoveryEvidence?> DiscoverAsync(ProberComposition prober, NextHop key, Discovered? memory, CancellationToken cancellation)
    {
        if (!new DiscoveryScope([]).Includes(key))
            return null;
        await using var discoverer = prober.CreateDiscoverer(
            new RememberedForCheck(memory), settings.Discovery.Conditions(settings.Postfix) with { MtaSts = true }, PolicyPort);
        return (await discoverer.Discover(key, DiscoveryReason.Person).Whole.WaitAsync(cancellation)).Evidence;
    }

    // Skipped are destinations without an entry; one that says discovered asks for discovery itself.
    private bool IsDiscovered(NextHop key, Destination? entry) =>
        settings.Discovery.Mode != DiscoveryMode.Off
        && (entry is { Observe: false, Policy.Level: TlsLevel.AsDiscovered } && entry.Key == key || new DiscoveryScope(settings.Discovery.Skip).Includes(key));

    /// <summary>The destination as the prober would know it before its first probe, were it configured like this.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="entry">Its entry, or the parent's that answers for it; null where there is none.</param>
    /// <param name="probeAs">Hosts to probe instead of those of the entry; empty: none.</param>
    public static DestinationState StateOf(NextHop key, Destination? entry, ImmutableArray<string> probeAs) => new()
    {
        Key = key,
        // Without an entry: as Postfix connects at most levels, without SNI.
        Policy = entry?.Policy ?? new TlsPolicy { Level = TlsLevel.Encrypt },
        Mode = entry?.Mode ?? PinMode.Assist,
        Observe = entry?.Observe ?? false,
        Pins = entry?.Pins ?? [],
        Entry = entry?.Key ?? key,
        ProbeAs = probeAs.IsEmpty ? entry?.ProbeAs ?? [] : probeAs,
    };

    private DeliveryPolicy Policy(Destination entry, NextHop key)
    {
        var digest = settings.Postfix.FingerprintDigest;
        var served = entry.Pins.Where(pin => pin.IsServed && pin.Fingerprint.Algorithm == digest).Select(pin => pin.Fingerprint).ToList();
        return DeliveryPolicy.Of(entry.Policy, key) with { IsPinned = certificate => served.Exists(certificate.Matches) };
    }
}
