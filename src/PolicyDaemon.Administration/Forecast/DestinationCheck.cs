using System.Collections.Immutable;
using System.Text;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.Status;
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
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

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
        var known = FindKnown(key);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time);
        ImmutableArray<DnsAnswer> answers = [];
        prober.Resolver.Read = reading => answers = reading.Used;
        var servers = new RecordingServers(prober.Probe);
        var discovers = DiscoverAsync(prober, key, known.Memory, cancellation);
        using var probe = prober.CreateDestinationProbe(prober.Resolver, servers);
        var probed = await probe.RunAsync(StateOf(key, known.Entry, probeAs), triesServerNames: true, progress, cancellation);
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
            StoreProblem = known.Problem,
            TestPassed = prober.Resolver.Test?.Passed,
            TestDetail = prober.Resolver.Test?.Detail,
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
        var entry = CheckRecordTexts.Entry(record, settings.Postfix);
        var network = new RecordedNetwork(record);
        // Its chains were judged then; the file of authorities need not be here.
        using var prober = new ProberComposition(settings.Probe with { CaFile = settings.Probe.CaFile with { Text = "" } }, settings.Postfix, time);
        using var probe = prober.CreateDestinationProbe(network, network);
        var probed = await probe.RunAsync(StateOf(record.Key, entry, record.ProbeAs), triesServerNames: true, null, cancellation);
        return new DestinationCheck(settings, time).Judge(
            record, probed, new KnownBefore(entry, [], null, record.StoreProblem, null), record.TestPassed is { } passed ? new ResolverTest(passed, record.At, record.TestDetail) : null);
    }

    private CheckResult Judge(CheckRecord record, ProbedDestination probed, KnownBefore known, ResolverTest? test)
    {
        var (key, entry) = (record.Key, known.Entry);
        var discovered = IsDiscovered(key) && record.Discovery is { } evidence
            ? DiscoveredState.Of(key, DiscoveryDecision.Of(evidence, spread: 1), settings, record.At)
            : null;
        return new CheckResult
        {
            Key = key,
            At = record.At,
            Settings = settings,
            Probed = probed,
            Test = test,
            Sts = StsDiscovery.Of(record.Discovery),
            Entry = entry,
            StoreProblem = known.Problem,
            DaemonAbsence = known.DaemonAbsence,
            Findings = entry is null ? [] : [.. known.Open, .. probed.Recorded.Result.Findings.Beside(known.Open)],
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

    private bool IsDiscovered(NextHop key) =>
        settings.Discovery.Mode != DiscoveryMode.Off && new DiscoveryScope(settings.Discovery.Skip).Includes(key);

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

    private KnownBefore FindKnown(NextHop key)
    {
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
            var explanation = Explanation.Of(key, store, settings, time.GetUtcNow());
            var entry = explanation.Keys[0].Entry ?? explanation.Decisive?.Rule;
            return new KnownBefore(
                entry, [.. store.OpenFindings().Select(open => open.Finding).Where(finding => finding.Subject == entry?.Key.Text)], store.FindDiscovered(key), null,
                entry is { Observe: false } ? DaemonAbsence.Of(settings) : null);
        }
        catch (StoreException fault)
        {
            // Servers can be probed without a store; whoever checks a domain before installing has none yet.
            return new KnownBefore(null, [], null, fault.Message, null);
        }
    }

    /// <summary>What the store and the daemon say of a destination.</summary>
    private sealed record KnownBefore(Destination? Entry, IReadOnlyList<Finding> Open, Discovered? Memory, string? Problem, string? DaemonAbsence);
}
