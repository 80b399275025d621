using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Tests.Store.Probing;

/// <summary>Servers that show real certificates, which a store can read back. Every destination has one MX host with one address.</summary>
internal sealed class CertificateNetwork(TimeProvider time, Func<NextHop, IPAddress> addressOf) : IMxResolver, IServerProbe
{
    private int connections;

    public Dictionary<IPAddress, ServerCertificate> Shows { get; } = [];

    public ServerCertificate? Otherwise { get; set; }

    public int Connections => Volatile.Read(ref connections);

    public Task<bool> RetestAsync(CancellationToken cancellation) => Task.FromResult(true);

    public string? Trouble => null;

    public string? Untested => null;

    public void Sweep()
    {
    }

    public Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        var address = addressOf(nextHop);
        return Task.FromResult(new MxResolution
        {
            NextHop = nextHop,
            At = time.GetUtcNow(),
            Port = 25,
            Outcome = DnsOutcome.Found,
            MxDnssec = DnssecStatus.Unknown,
            Hosts = [new MxHost { Name = $"mx-{address}.example", Preference = 10, Addresses = [address], AddressOutcome = DnsOutcome.Found }],
        });
    }

    public Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        Interlocked.Increment(ref connections);
        var certificate = Shows.GetValueOrDefault(target.Address) ?? Otherwise;
        return Task.FromResult(new Observation
        {
            Target = target,
            At = time.GetUtcNow(),
            Outcome = certificate is null ? ProbeOutcome.Timeout : ProbeOutcome.Secured,
            Stage = certificate is null ? ProbeStage.Connect : ProbeStage.Quit,
            Certificates = certificate is null
                ? []
                : [new PresentedCertificate(certificate, [], ChainVerdict.NotTrusted, "self-signed", "TLSv1.3", "TLS_AES_256_GCM_SHA384")],
            Absent = bothAlgorithms && certificate is not null ? [KeyAlgorithm.Rsa] : [],
            Timings = [.. Enum.GetValues<ProbeStage>().Select(stage => new StageTiming(stage, TimeSpan.FromMilliseconds(20)))],
            Transcript = [.. Enumerable.Range(0, 20).Select(i => $"S: 250-LINE{i} of an ordinary dialogue")],
        });
    }
}
