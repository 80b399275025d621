using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Browser.Site;

/// <summary>Zones and mail servers that exist in memory only: what a destination resolves to, and what an address shows, at the time of a clock.</summary>
internal sealed class SimulatedPeers(TimeProvider time) : IMxResolver, IServerProbe
{
    private readonly Dictionary<string, SimulatedZone> zones = new(StringComparer.Ordinal);
    private readonly Dictionary<IPAddress, SimulatedServer> servers = [];

    public string? Trouble => null;

    public string? Untested => null;

    /// <summary>Makes a domain whose mail these servers take, in the order of their preference.</summary>
    public void Zone(string name, bool isSigned, params SimulatedServer[] hosts)
    {
        zones[name] = new SimulatedZone(isSigned, [.. hosts]);
        foreach (var host in hosts)
            servers[host.Address] = host;
    }

    public Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        var zone = zones.GetValueOrDefault(nextHop.Host);
        var status = zone?.IsSigned == true ? DnssecStatus.Secure : DnssecStatus.Insecure;
        return Task.FromResult(new MxResolution
        {
            NextHop = nextHop,
            At = time.GetUtcNow(),
            Port = nextHop.Port ?? 25,
            Outcome = zone is null ? DnsOutcome.Failed : DnsOutcome.Found,
            Detail = zone is null ? "SERVFAIL" : null,
            MxDnssec = status,
            Hosts =
            [
                .. (zone?.Hosts ?? []).Select((host, index) => new MxHost
                {
                    Name = host.Name,
                    Preference = 10 * (index + 1),
                    Addresses = [host.Address],
                    AddressDnssec = status,
                    AddressOutcome = DnsOutcome.Found,
                    TlsaBase = host.Name,
                    Tlsa = [.. host.Tlsa],
                    TlsaDnssec = status,
                }),
            ],
        });
    }

    public Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(target);
        var server = servers[target.Address];
        var isSecured = server.Failure is null;
        return Task.FromResult(new Observation
        {
            Target = target,
            At = time.GetUtcNow(),
            Outcome = server.Failure ?? ProbeOutcome.Secured,
            Stage = isSecured ? ProbeStage.Quit : ProbeStage.Greeting,
            Detail = isSecured ? null : server.Says,
            Certificates = isSecured ? [.. server.Shown] : [],
            Absent = bothAlgorithms && isSecured && server.Shown is [var only] ? [only.Certificate.Algorithm == KeyAlgorithm.Rsa ? KeyAlgorithm.Ecdsa : KeyAlgorithm.Rsa] : [],
            AskedBothAlgorithms = bothAlgorithms && isSecured,
            SpeaksTls12 = bothAlgorithms && isSecured ? true : null,
            Timings = [new StageTiming(ProbeStage.Connect, TimeSpan.FromMilliseconds(18)), new StageTiming(ProbeStage.Handshake, TimeSpan.FromMilliseconds(41))],
            Transcript =
            [
                $"S: 220 {server.Name} ESMTP {server.Says}", "C: EHLO probe.mx7.example", $"S: 250-{server.Name}", $"S: 250-{server.Says}", "S: 250 STARTTLS", "C: STARTTLS",
                "S: 220 2.0.0 Ready", "C: EHLO probe.mx7.example", $"S: 250 {server.Says}", "C: QUIT", "S: 221 2.0.0 Bye",
            ],
        });
    }

    public Task<bool> RetestAsync(CancellationToken cancellation) => Task.FromResult(true);

    public void Sweep()
    {
    }

    private sealed record SimulatedZone(bool IsSigned, ImmutableArray<SimulatedServer> Hosts);
}

/// <summary>A mail server at one address.</summary>
internal sealed class SimulatedServer(string name, string address)
{
    public string Name { get; } = name;

    public IPAddress Address { get; } = IPAddress.Parse(address);

    /// <summary>What it says of itself in its greeting and behind EHLO.</summary>
    public string Says { get; set; } = "ready";

    /// <summary>The certificates that it shows now.</summary>
    public List<PresentedCertificate> Shown { get; } = [];

    /// <summary>Its TLSA records.</summary>
    public List<TlsaRecord> Tlsa { get; } = [];

    /// <summary>How a probe ends before a certificate is shown; null where it does not.</summary>
    public ProbeOutcome? Failure { get; set; }

    /// <summary>Shows these certificates and no others from now on.</summary>
    public void Show(params PresentedCertificate[] certificates)
    {
        Shown.Clear();
        Shown.AddRange(certificates);
    }

    /// <summary>Publishes the public keys of these certificates, and no others, as TLSA records.</summary>
    public void Publish(params PresentedCertificate[] certificates)
    {
        Tlsa.Clear();
        Tlsa.AddRange(certificates.Select(certificate => new TlsaRecord(3, 1, 1, [.. Convert.FromHexString(certificate.Certificate.KeyId.Hex)])));
    }
}
