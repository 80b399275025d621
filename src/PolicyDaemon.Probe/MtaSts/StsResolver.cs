using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>Finds a domain's MTA-STS policy as it is now: the TXT record, then the policy over HTTPS (RFC 8461 section 3).</summary>
public sealed class StsResolver : IDisposable
{
    private readonly DnsResolvers dns;
    private readonly PolicyFetcher fetcher;

    public StsResolver(DnsResolvers dns, StsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(dns);
        ArgumentNullException.ThrowIfNull(options);
        this.dns = dns;
        fetcher = new PolicyFetcher(dns, options, time);
    }

    public void Dispose() => fetcher.Dispose();

    /// <summary>A failure is a <see cref="StsDiscovery.Status"/>; only the caller's cancellation throws.</summary>
    public async Task<StsDiscovery> FindAsync(NextHop nextHop, CancellationToken cancellation)
    {
        // Section 2: a policy domain is a recipient's domain. A port changes nothing about that; brackets name a host instead.
        if (nextHop.IsBracketed || nextHop.IsSubdomains || nextHop.IsPath || !MxReader.IsHostName(nextHop.Host) || IPAddress.TryParse(nextHop.Host, out _))
            return new StsDiscovery(StsStatus.NotApplicable);

        var answer = await dns.Shared.AskAnewAsync(StsRecord.Question(nextHop), isTrusted: false, cancellation);
        if (!answer.Worked)
            return new StsDiscovery(StsStatus.DnsFailure, Detail: answer.Detail);
        var reading = StsRecord.Read(answer.Data);
        if (reading.State == StsRecordState.Absent)
            return new StsDiscovery(StsStatus.Absent);
        if (reading.State == StsRecordState.Broken)
            return new StsDiscovery(StsStatus.Invalid, Detail: reading.Problem);
        var fetch = (await fetcher.FetchAsync(nextHop.Host, cancellation)).Fetch;
        return new StsDiscovery(
            fetch.Status, reading.Record,
            fetch.Text is not null && StsPolicy.TryParse(fetch.Text, out var policy, out _) ? policy : null, fetch.Detail);
    }
}
