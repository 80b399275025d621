using System.Collections.Immutable;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe;
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

    /// <param name="key">The destination.</param>
    /// <param name="probeAs">Hosts to probe for a key with a leading dot; empty: those of its entry.</param>
    /// <param name="progress">Told after each address how many are done and how many there are.</param>
    /// <param name="cancellation">Ends it without a result.</param>
    public async Task<CheckResult> RunAsync(
        NextHop key, ImmutableArray<string> probeAs, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        var (entry, open, problem) = FindEntry(key);
        var destination = StateOf(key, entry, probeAs);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time);
        using var policies = prober.CreateStsResolver(PolicyPort);
        var fetchesPolicy = policies.FindAsync(key, cancellation);
        using var probe = prober.CreateDestinationProbe(ledger: null);
        var probed = await probe.RunAsync(destination, triesServerNames: true, progress, cancellation);
        var sts = await fetchesPolicy;
        return new CheckResult
        {
            Key = key,
            At = time.GetUtcNow(),
            Settings = settings,
            Probed = probed,
            Test = prober.Resolver.Test,
            Sts = sts,
            Entry = entry,
            StoreProblem = problem,
            DaemonAbsence = entry is { Observe: false } ? DaemonAbsence.Of(settings) : null,
            Findings = entry is null ? [] : [.. open, .. Beside(open, probed.Recorded.Result.Findings)],
            Levels = probed.Addresses.IsEmpty ? [] : LevelForecasts.Of(
                probed.Resolution,
                new ShownAddresses(
                    [.. probed.Addresses.Select(address => address.PlainState)], [.. probed.Addresses.Select(address => address.NamedState)],
                    [.. probed.Addresses.Select(address => address.DaneState)]),
                settings.Postfix),
            AtEntry = entry is null || probed.Addresses.IsEmpty ? null : MailForecast.Of(
                new DeliveryRules(Policy(entry, key), settings.Postfix), probed.Addresses.Select(address => address.State)),
        };
    }

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

    /// <summary>What this probe finds that no open finding says already. It knows nothing of earlier ones, which a lost STARTTLS or other MX hosts take.</summary>
    private static IEnumerable<Finding> Beside(IReadOnlyCollection<Finding> open, IEnumerable<Finding> found) =>
        found.Where(finding => !open.Any(known => known.Kind == finding.Kind || finding.Kind.IsPartOf(known.Kind) || known.Kind is FindingKind.RotatingTooOften or FindingKind.TooManyKeys or FindingKind.WeakerKey));

    private (Destination? Entry, IReadOnlyList<Finding> Open, string? Problem) FindEntry(NextHop key)
    {
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
            var explanation = Explanation.Of(key, store, settings, time.GetUtcNow());
            var entry = explanation.Keys[0].Entry ?? explanation.Decisive?.Entry;
            return (entry, [.. store.OpenFindings().Select(open => open.Finding).Where(finding => finding.Subject == entry?.Key.Text)], null);
        }
        catch (StoreException fault)
        {
            // Servers can be probed without a store; whoever checks a domain before installing has none yet.
            return (null, [], fault.Message);
        }
    }
}
