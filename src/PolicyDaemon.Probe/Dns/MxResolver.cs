using System.Collections.Immutable;
using System.Net;
using DnsClient;
using DnsClient.Protocol;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Finds where the mail of a next-hop destination goes, as Postfix would.</summary>
/// <remarks>
/// <code>
/// example.com  example.com:587     MX; without MX the name itself (RFC 5321 section 5.1); one MX "0 ." takes no mail (RFC 7505)
/// [mx.example.com]  [192.0.2.1]    no MX lookup
/// each MX host                     A and AAAA, aliases followed; TLSA where the addresses are secure (RFC 7672 section 2.2)
/// </code>
/// What cannot be looked up is a failure of ours and never an absence.
/// </remarks>
public sealed class MxResolver : IMxResolver, IDisposable
{
    private const int SmtpPort = 25;

    private readonly TimeProvider time;
    private readonly DnsLookup lookup;
    private readonly SharedAnswers shared;
    private readonly ResolverSelfTest selfTest;

    public MxResolver(DnsOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.time = time;
        lookup = new DnsLookup(options, time);
        shared = new SharedAnswers(lookup, time);
        selfTest = new ResolverSelfTest(options, lookup, time);
    }

    /// <summary>Who is asked, in this order.</summary>
    public IReadOnlyList<IPEndPoint> Servers => lookup.Servers;

    /// <summary>The last self-test of a trusted resolver; null where none has run.</summary>
    public ResolverTest? Test => selfTest.Test;

    /// <inheritdoc/>
    public string? Trouble => selfTest.Test is { Passed: false, Detail: { } detail } ? detail : null;

    /// <inheritdoc/>
    public string? Doubt => selfTest.Test is { Passed: true, Detail: { } detail } ? detail : null;

    /// <inheritdoc/>
    public async Task<MxResolution> ResolveAsync(
        NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        if (nextHop.IsPath)
            return Ended(nextHop, SmtpPort, ProbeOutcome.NoMx, "a key with a slash is the path of an LMTP socket, which has no MX host to probe");
        if (nextHop.Port is null && HasServiceName(nextHop))
            return Ended(nextHop, SmtpPort, ProbeOutcome.NoMx, $"the service name in {nextHop} is not known here; write the port's number");

        var port = nextHop.Port ?? SmtpPort;
        var isTrusted = await selfTest.IsTrustedAsync(cancellation);
        if (nextHop.IsSubdomains)
            return await GivenAsync(nextHop, port, [.. probeAs.Take(DnsLimits.MxHosts)], isTrusted, cancellation);
        if (nextHop.IsBracketed || IPAddress.TryParse(nextHop.Host, out _))
            return await GivenAsync(nextHop, port, [nextHop.Host], isTrusted, cancellation);
        return await ByMxAsync(nextHop, port, isTrusted, cancellation);
    }

    /// <inheritdoc/>
    public void Sweep() => shared.Sweep();

    public void Dispose() => selfTest.Dispose();

    private static bool HasServiceName(NextHop nextHop) =>
        nextHop.Text.AsSpan(nextHop.Text.LastIndexOf(nextHop.Host, StringComparison.Ordinal) + nextHop.Host.Length).Contains(':');

    private async Task<MxResolution> GivenAsync(
        NextHop nextHop, int port, ImmutableArray<string> names, bool isTrusted, CancellationToken cancellation)
    {
        if (names.IsEmpty)
            return Ended(nextHop, port, ProbeOutcome.NoMx, "a leading-dot key has no MX of its own; name hosts with --probe-as");
        var hosts = new List<MxHost>();
        foreach (var name in names)
            hosts.Add(await HostAsync(name, 0, port, isTrusted, cancellation));
        return Complete(nextHop, port, hosts, DnssecStatus.Unknown) with { HostIsGiven = true };
    }

    private async Task<MxResolution> ByMxAsync(NextHop nextHop, int port, bool isTrusted, CancellationToken cancellation)
    {
        var answer = await lookup.AskAsync(nextHop.Host, QueryType.MX, cancellation);
        var dnssec = Status(answer, isTrusted);
        switch (answer.Kind)
        {
            case DnsAnswerKind.Failed:
                return Ended(nextHop, port, ProbeOutcome.DnsFailure, answer.Detail);
            case DnsAnswerKind.Bogus:
                return Ended(nextHop, port, ProbeOutcome.Bogus, answer.Detail) with { MxDnssec = DnssecStatus.Bogus };
            case DnsAnswerKind.NoSuchName:
                return Ended(nextHop, port, ProbeOutcome.NoMx, answer.Detail) with { MxDnssec = dnssec };
            case DnsAnswerKind.NoData:
                var itself = await HostAsync(nextHop.Host, 0, port, isTrusted, cancellation);
                return Complete(nextHop, port, [itself], dnssec) with { IsImplicit = true };
        }

        var records = answer.Records.OfType<MxRecord>()
            .Select(record => (Name: DnsNames.Plain(record.Exchange.Value), record.Preference))
            .OrderBy(record => record.Preference).ThenBy(record => record.Name, StringComparer.Ordinal)
            .DistinctBy(record => record.Name)
            .ToList();
        if (records is [{ Name: "" }])
        {
            return Ended(nextHop, port, ProbeOutcome.NullMx, $"{nextHop.Host} takes no mail (null MX, RFC 7505)") with
            {
                MxDnssec = dnssec,
            };
        }

        var usable = records.Where(record => IsAddress(record.Name) || (DnsNames.IsHost(record.Name) && !IPAddress.TryParse(record.Name, out _))).ToList();
        if (usable.Count == 0)
            return Ended(nextHop, port, ProbeOutcome.NoMx, $"no MX record of {nextHop.Host} names a host") with { MxDnssec = dnssec };
        var hosts = new List<MxHost>();
        foreach (var (name, preference) in usable.Take(DnsLimits.MxHosts))
            hosts.Add(await HostAsync(name, preference, port, isTrusted, cancellation));
        var resolution = Complete(nextHop, port, hosts, dnssec);
        if (!resolution.Worked)
            return resolution;
        List<string> remarks = [];
        if (usable.Count > DnsLimits.MxHosts)
            remarks.Add($"{usable.Count} MX hosts; only the first {DnsLimits.MxHosts} are followed");
        if (hosts.Exists(host => IsAddress(host.Name)))
            remarks.Add("an MX record names an address instead of a host (RFC 5321 section 5.1 forbids it), to which Postfix delivers all the same");
        return resolution with { Detail = remarks.Count > 0 ? string.Join("; ", remarks) : null };
    }

    // Postfix warns of a "numeric domain name in resource data of MX record" and goes on (dns_lookup.c, valid_rr_name); what only
    // inet_aton takes for an address, such as 10 or 192.168.1, it does not.
    private static bool IsAddress(string name) => IPAddress.TryParse(name, out var address) && address.ToString() == name;

    private async Task<MxHost> HostAsync(string name, int preference, int port, bool isTrusted, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(name, out var literal))
            return new MxHost { Name = literal.ToString(), Preference = preference, Addresses = [literal] };

        DnsAnswer[] answers =
        [
            await shared.AskAsync(name, QueryType.A, isTrusted, cancellation),
            await shared.AskAsync(name, QueryType.AAAA, isTrusted, cancellation),
        ];
        var addresses = answers
            .SelectMany(answer => answer.Records.OfType<AddressRecord>().Select(record => record.Address).Distinct()
                .OrderBy(address => address.ToString(), StringComparer.Ordinal).Take(DnsLimits.Addresses))
            .ToImmutableArray();
        var host = new MxHost
        {
            Name = name,
            Preference = preference,
            Addresses = addresses,
            CanonicalName = answers.Select(answer => answer.CanonicalName).FirstOrDefault(canonical => canonical != DnsNames.Plain(name)),
            AddressOutcome = AddressOutcome(answers, addresses),
            // An address family that is absent must be securely absent, or else an attacker could add it.
            AddressDnssec = answers.Select(answer => Status(answer, isTrusted)).Aggregate(Weaker),
        };
        // RFC 7672 section 2.2.2: no TLSA lookup for insecure addresses; some unsigned zones' servers drop the question.
        return addresses.IsEmpty || !answers.All(answer => answer.AuthenticData)
            ? host
            : await WithTlsaAsync(host, answers, port, isTrusted, cancellation);
    }

    private async Task<MxHost> WithTlsaAsync(
        MxHost host, DnsAnswer[] answers, int port, bool isTrusted, CancellationToken cancellation)
    {
        // RFC 7672 section 2.2.3: the name at the end of the aliases first, then the name in the MX record.
        var expanded = answers.First(answer => answer.Kind == DnsAnswerKind.Records).CanonicalName;
        foreach (var name in new[] { expanded, host.Name }.Distinct())
        {
            var answer = await shared.AskAsync($"_{port}._tcp.{name}", QueryType.TLSA, isTrusted, cancellation);
            if (answer.Kind is DnsAnswerKind.Failed or DnsAnswerKind.Bogus)
                return host with { TlsaBase = name, TlsaFailed = true, TlsaDnssec = Status(answer, isTrusted) };
            if (answer.Kind != DnsAnswerKind.Records)
                continue;
            return host with
            {
                TlsaBase = name,
                TlsaDnssec = Status(answer, isTrusted),
                Tlsa =
                [
                    .. answer.Records.OfType<DnsClient.Protocol.TlsaRecord>().Take(DnsLimits.TlsaRecords).Select(record => new Core.Observations.TlsaRecord(
                        (byte)record.CertificateUsage, (byte)record.Selector, (byte)record.MatchingType,
                        [.. record.CertificateAssociationData])),
                ],
            };
        }

        return host with { TlsaBase = expanded, TlsaDnssec = DnssecStatus.Insecure };
    }

    private static ProbeOutcome AddressOutcome(DnsAnswer[] answers, ImmutableArray<IPAddress> addresses)
    {
        if (answers.Any(answer => answer.Kind == DnsAnswerKind.Bogus))
            return ProbeOutcome.Bogus;
        if (answers.Any(answer => answer.Kind == DnsAnswerKind.Failed))
            return ProbeOutcome.DnsFailure;
        return addresses.IsEmpty ? ProbeOutcome.NoMx : ProbeOutcome.Secured;
    }

    private MxResolution Complete(NextHop nextHop, int port, List<MxHost> hosts, DnssecStatus dnssec)
    {
        var outcome = hosts.Exists(host => !host.Addresses.IsEmpty)
            ? ProbeOutcome.Secured
            : hosts.Select(host => host.AddressOutcome).MaxBy(Severity);
        return Ended(nextHop, port, outcome, outcome switch
        {
            ProbeOutcome.Secured => null,
            ProbeOutcome.NoMx => $"no MX host of {nextHop} has an address",
            _ => $"the addresses of {string.Join(", ", hosts.Select(host => host.Name))} cannot be looked up",
        }) with { Hosts = [.. hosts], MxDnssec = dnssec };
    }

    // Where nothing is found, a lookup that failed says that nothing is known.
    private static int Severity(ProbeOutcome outcome) => outcome switch { ProbeOutcome.Bogus => 2, ProbeOutcome.DnsFailure => 1, _ => 0 };

    private MxResolution Ended(NextHop nextHop, int port, ProbeOutcome outcome, string? detail) => new()
    {
        NextHop = nextHop,
        At = time.GetUtcNow(),
        Port = port,
        Outcome = outcome,
        Detail = detail,
    };

    private static DnssecStatus Status(DnsAnswer answer, bool isTrusted) => answer.Kind switch
    {
        DnsAnswerKind.Bogus => DnssecStatus.Bogus,
        DnsAnswerKind.Failed => DnssecStatus.Unknown,
        _ when !isTrusted => DnssecStatus.Unknown,
        _ => answer.AuthenticData ? DnssecStatus.Secure : DnssecStatus.Insecure,
    };

    private static DnssecStatus Weaker(DnssecStatus one, DnssecStatus other)
    {
        ReadOnlySpan<DnssecStatus> worstFirst = [DnssecStatus.Bogus, DnssecStatus.Unknown, DnssecStatus.Insecure];
        foreach (var status in worstFirst)
        {
            if (one == status || other == status)
                return status;
        }

        return DnssecStatus.Secure;
    }
}
