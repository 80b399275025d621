using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Tests.Core.Rotation;

namespace PolicyDaemon.Tests.Probe.Scheduling;

/// <summary>Zones and servers as a table: what a destination resolves to, what an address presents.</summary>
internal sealed class FakeNetwork(TimeProvider time) : IMxResolver, IServerProbe
{
    private readonly ConcurrentDictionary<string, string[]> zones = new();
    private readonly ConcurrentDictionary<IPAddress, int> open = new();
    private int openNow;
    private int mostOpen;
    private int asked;

    /// <summary>How often both algorithms were asked for.</summary>
    public int BothAsked => Volatile.Read(ref asked);

    public ConcurrentDictionary<IPAddress, string> Keys { get; } = new();

    public ConcurrentDictionary<IPAddress, ProbeOutcome> Failures { get; } = new();

    /// <summary>Keys for which every zone has a secure TLSA record.</summary>
    public ConcurrentBag<TlsaRecord> Tlsa { get; } = [];

    public ConcurrentQueue<ProbeTarget> Connections { get; } = new();

    /// <summary>Every server speaks TLS 1.3 only.</summary>
    public bool RefusesTls12 { get; set; }

    public bool DnsFails { get; set; }

    /// <summary>The one destination whose DNS fails.</summary>
    public string? DnsFailsFor { get; set; }

    /// <summary>How the resolver fails where DNS fails.</summary>
    public ResolverFailure DnsFailure { get; set; } = new("192.0.2.53", "answers SERVFAIL");

    /// <summary>Those whose DNS fails.</summary>
    public Func<NextHop, bool> DnsFailsWhere { get; set; } = _ => false;

    public string? Trouble { get; set; }

    public string? Untested => null;

    /// <summary>What the self-test before a promotion says; null where it passes.</summary>
    public string? TroubleWhenRetested { get; set; }

    public int Retests { get; private set; }

    public Task<bool> RetestAsync(CancellationToken cancellation)
    {
        Retests++;
        Trouble = TroubleWhenRetested ?? Trouble;
        return Task.FromResult(Trouble is null);
    }

    /// <summary>Holds every connection open until it is completed.</summary>
    public TaskCompletionSource? Barrier { get; set; }

    public int MostOpen => Volatile.Read(ref mostOpen);

    public bool TwoAtOnceToOneAddress { get; private set; }

    public void Zone(string key, params string[] addresses) => zones[key] = addresses;

    public void Server(string address, string key) => Keys[IPAddress.Parse(address)] = key;

    public void Sweep()
    {
    }

    public Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        if (nextHop.Host == "crash.example")
            throw new InvalidOperationException("a fault in the program");
        var fails = DnsFails || nextHop.Host == DnsFailsFor || DnsFailsWhere(nextHop);
        var host = $"mx-{zones[nextHop.Host][0].Replace('.', '-')}.example";
        var outcome = fails ? DnsOutcome.Failed : DnsOutcome.Found;
        return Task.FromResult(new MxResolution
        {
            NextHop = nextHop,
            At = time.GetUtcNow(),
            Port = nextHop.Port ?? 25,
            Outcome = outcome,
            Failures = fails ? [DnsFailure] : [],
            MxDnssec = fails ? DnssecStatus.Unknown : DnssecStatus.Secure,
            Hosts = fails ? [] :
            [
                new MxHost
                {
                    Name = host,
                    Addresses = [.. zones[nextHop.Host].Select(IPAddress.Parse)],
                    AddressDnssec = DnssecStatus.Secure,
                    Tlsa = [.. Tlsa],
                    TlsaDnssec = DnssecStatus.Secure,
                    TlsaBase = host,
                },
            ],
        });
    }

    public async Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        Connections.Enqueue(target);
        if (bothAlgorithms)
            Interlocked.Increment(ref asked);
        TwoAtOnceToOneAddress |= open.AddOrUpdate(target.Address, 1, (_, count) => count + 1) > 1;
        var now = Interlocked.Increment(ref openNow);
        for (var most = mostOpen; now > most; most = mostOpen)
            Interlocked.CompareExchange(ref mostOpen, now, most);
        if (Barrier is { } barrier)
            await barrier.Task.WaitAsync(cancellation);
        Interlocked.Decrement(ref openNow);
        open.AddOrUpdate(target.Address, 0, (_, count) => count - 1);

        if (Failures.TryGetValue(target.Address, out var failure))
            return new Observation { Target = target, At = time.GetUtcNow(), Outcome = failure, Stage = ProbeStage.Greeting };
        var certificate = RotationScenario.Certificate(Keys[target.Address]);
        return new Observation
        {
            Target = target,
            At = time.GetUtcNow(),
            Outcome = ProbeOutcome.Secured,
            Stage = ProbeStage.Quit,
            Certificates = [new PresentedCertificate(certificate, [], ChainVerdict.NotTrusted, null, "TLSv1.3", "x")],
            Absent = bothAlgorithms && !RefusesTls12 ? [KeyAlgorithm.Rsa] : [],
            AskedBothAlgorithms = bothAlgorithms,
            SpeaksTls12 = bothAlgorithms ? !RefusesTls12 : null,
        };
    }
}
