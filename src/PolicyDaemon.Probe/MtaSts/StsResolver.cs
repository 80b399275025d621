using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe.Dns;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>Finds a domain's MTA-STS policy: the TXT record, then the policy over HTTPS (RFC 8461 section 3).</summary>
public sealed class StsResolver
{
    private readonly DnsLookup lookup;
    private readonly PolicyFetch fetch;

    public StsResolver(DnsOptions dns, StsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(dns);
        ArgumentNullException.ThrowIfNull(options);
        lookup = new DnsLookup(dns, time);
        fetch = new PolicyFetch(lookup, options, time);
    }

    /// <summary>A failure is a <see cref="StsDiscovery.Status"/>; only the caller's cancellation throws.</summary>
    public async Task<StsDiscovery> FindAsync(NextHop nextHop, CancellationToken cancellation)
    {
        // Section 2: a policy domain is a recipient's domain. A port changes nothing about that; brackets name a host instead.
        if (nextHop.IsBracketed || nextHop.IsSubdomains || nextHop.IsPath || !MxReader.IsHostName(nextHop.Host)
            || System.Net.IPAddress.TryParse(nextHop.Host, out _))
            return new StsDiscovery(StsStatus.NotApplicable);

        var answer = await lookup.AskAsync(StsRecord.Question(nextHop), cancellation);
        if (!answer.Worked)
            return new StsDiscovery(StsStatus.DnsFailure, Detail: answer.Detail);
        var reading = StsRecord.Read(answer.Data);
        if (reading.State == StsRecordState.Absent)
            return new StsDiscovery(StsStatus.Absent);
        if (reading.State == StsRecordState.Broken)
            return new StsDiscovery(StsStatus.Invalid, Detail: reading.Problem);
        return await fetch.RunAsync(nextHop.Host, cancellation) with { Record = reading.Record };
    }
}
