using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Probe.Smtp;

namespace PolicyDaemon.Probe;

/// <summary>The parts of the prober, made from the <c>[probe]</c> section alike for the daemon and for commands that probe.</summary>
public sealed class ProberComposition : IDisposable
{
    private const int MaxUnstoredConnections = 16;

    private readonly ProbeSettings settings;
    private readonly PostfixSettings postfix;
    private readonly TimeProvider time;

    /// <param name="settings">The <c>[probe]</c> section.</param>
    /// <param name="postfix">The <c>[postfix]</c> section.</param>
    /// <exception cref="ConfigurationException"><c>ca_file</c> cannot be read or holds no certificate.</exception>
    public ProberComposition(ProbeSettings settings, PostfixSettings postfix, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(postfix);
        this.settings = settings;
        this.postfix = postfix;
        this.time = time;
        ProbeOptions = ProbeOptionsOf(settings) with { SpeaksTls13 = postfix.SpeaksTls13 };
        Schedule = ScheduleOf(settings);
        Dns = new DnsResolvers(DnsOptionsOf(settings), time);
        Resolver = new MxResolver(Dns);
        Probe = new StartTlsProbe(ProbeOptions, time);
    }

    /// <summary>Keeps other programs over the same store from an address while one is connected there; null where there are none.</summary>
    public IAddressClaims? Claims { get; init; }

    /// <summary>The resolvers, for all who ask.</summary>
    public DnsResolvers Dns { get; }

    public MxResolver Resolver { get; }

    public StartTlsProbe Probe { get; }

    public ProbeOptions ProbeOptions { get; }

    public ScheduleOptions Schedule { get; }

    /// <summary>Reads what the settings name.</summary>
    /// <exception cref="ConfigurationException"><c>ca_file</c> cannot be read or holds no certificate.</exception>
    public static void Check(ProbeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ProbeOptionsOf(settings);
    }

    /// <summary>An engine over these parts; dispose of it before them.</summary>
    /// <param name="ledger">Where results are recorded.</param>
    /// <param name="logger">The log.</param>
    /// <param name="counters">Where what it meets and moves is counted.</param>
    public ProbeEngine CreateEngine(IProbeLedger ledger, ILogger logger, ProbeCounters counters) =>
        new(ledger, Resolver, Probe, Schedule, postfix, Random.Shared, time, logger, counters, Claims);

    /// <summary>Probes for a person who waits: each address is connected to once, and shared by the destinations behind it.</summary>
    /// <param name="ledger">Where the results are recorded; null: nothing is stored, and addresses are not spaced, since each is met once.</param>
    /// <param name="destinations">How many will be probed: what fails for many at once is left to the daemon to tell.</param>
    /// <returns>Dispose of it before these parts.</returns>
    public DestinationProbe CreateDestinationProbe(IProbeLedger? ledger, int destinations = 1) => Create(ledger, Resolver, Probe, destinations);

    /// <summary>Makes a probe of one destination without a ledger, over a resolver and a prober of the caller's: those that
    /// replay a recorded check, or that record one.</summary>
    public DestinationProbe CreateDestinationProbe(IMxResolver resolver, IServerProbe probe) => Create(null, resolver, probe, destinations: 1);

    private DestinationProbe Create(IProbeLedger? ledger, IMxResolver resolver, IServerProbe probe, int destinations) => new(
        ledger, resolver, probe,
        ledger is null
            ? Schedule with
            {
                AddressSpacing = TimeSpan.Zero, ProviderSpacing = TimeSpan.Zero, MaxConnections = Math.Min(Schedule.MaxConnections, MaxUnstoredConnections),
            }
            : Schedule,
        postfix, time, GateMemory.ThisRun, Claims)
    {
        Findings = destinations < TroubleWatch.AtLeast ? null : new ProberFindings(null, NullLogger.Instance, time) { Destinations = destinations },
    };

    /// <summary>Discovery over these parts; dispose of it before them.</summary>
    public Discoverer CreateDiscoverer(IDiscoveredPolicies store, DiscoverySettings discovery, ILogger logger) => new(
        store, Dns, new PolicyFetcher(Dns, StsOptionsOf(), time), discovery, new DiscovererOptions(), Random.Shared, time, logger);

    /// <summary>Makes a discoverer for a person who waits: everything is asked anew, and a policy host is given up sooner than in the background.</summary>
    /// <param name="port">Where policy hosts are asked.</param>
    public Discoverer CreateDiscoverer(IDiscoveredPolicies store, DiscoverySettings discovery, int port) => new(
        store, Dns, new PolicyFetcher(Dns, StsOptionsOf() with { Port = port, Timeout = TimeSpan.FromSeconds(20), OldestAnswer = MxResolver.OldestAnswer }, time),
        discovery, new DiscovererOptions { OldestAnswer = MxResolver.OldestAnswer }, Random.Shared, time, NullLogger.Instance);

    public void Dispose() => Dns.Dispose();

    internal static DnsOptions DnsOptionsOf(ProbeSettings settings)
    {
        var otherwise = new DnsOptions();
        return otherwise with
        {
            Resolvers = settings.Resolvers,
            ResolverTrusted = settings.ResolverTrusted,
            SecureTestName = settings.DnssecTestSecure ?? otherwise.SecureTestName,
            BogusTestName = settings.SkipsBogusTest ? null : settings.DnssecTestBogus ?? otherwise.BogusTestName,
            Timeout = settings.DnsTimeout,
        };
    }

    internal static ScheduleOptions ScheduleOf(ProbeSettings settings) => new()
    {
        Interval = settings.Interval,
        RenewalInterval = settings.RenewalInterval,
        CandidateInterval = settings.CandidateInterval,
        BackOff = settings.BackOff,
        LookupStaleness = settings.LookupStaleness,
        AddressSpacing = settings.AddressSpacing,
        ProviderSpacing = settings.ProviderSpacing,
        MaxConnections = settings.MaxConnections,
        MaxDestinations = settings.MaxDestinations,
        ProbesPerSecond = settings.ProbesPerSecond,
        Rotation = settings.Rotation,
    };

    private StsOptions StsOptionsOf() => new() { PrivateAddresses = ProbeOptions.PrivateAddresses, Roots = ProbeOptions.Roots };

    private static ProbeOptions ProbeOptionsOf(ProbeSettings settings) => new()
    {
        EhloName = settings.HeloName ?? HostName(),
        ConnectTimeout = settings.ConnectTimeout,
        ReplyTimeout = settings.ReplyTimeout,
        HandshakeTimeout = settings.HandshakeTimeout,
        PrivateAddresses = settings.PrivateAddresses,
        SourceAddress = settings.BindAddress,
        SourceAddress6 = settings.BindAddress6,
        Roots = settings.CaFile.Text.Length == 0 ? null : Roots(settings.CaFile),
    };

    // The whole name, as Postfix's myhostname has it; Environment.MachineName ends at the first dot.
    /// <summary>The name in EHLO where the configuration has none.</summary>
    public static string HostName() => System.Net.Dns.GetHostName() is { Length: > 0 } name ? name : "localhost";

    private static X509Certificate2Collection Roots(ConfiguredValue file)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(file.Text);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException([file.Problem($"'{file.Text}' cannot be read: {fault.Message}")]);
        }

        return roots.Count > 0
            ? roots
            : throw new ConfigurationException([file.Problem($"'{file.Text}' holds no certificate in PEM")]);
    }
}
