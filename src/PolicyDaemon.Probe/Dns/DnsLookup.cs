using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Asks the configured resolvers one question at a time, each within a deadline.</summary>
internal sealed class DnsLookup
{
    private readonly DnsOptions options;
    private readonly TimeProvider time;
    private readonly ImmutableArray<IPEndPoint> resolvers;
    private readonly LookupClient client;

    public DnsLookup(DnsOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        resolvers = options.Resolvers.IsEmpty ? SystemResolvers.Read() : options.Resolvers;
        client = new LookupClient(new LookupClientOptions([.. resolvers.Select(endpoint => new NameServer(endpoint))])
        {
            // The resolver caches; a second cache would only hide changes. What many destinations share: SharedAnswers.
            UseCache = false,
            // DO: a validating resolver then sets AD (RFC 4035 section 3.2.3).
            RequestDnsSecRecords = true,
            ThrowDnsErrors = false,
            ContinueOnDnsError = true,
            ContinueOnEmptyResponse = false,
            Retries = 1,
            Timeout = options.Timeout,
            UseTcpFallback = true,
        });
    }

    public ImmutableArray<IPEndPoint> Servers => resolvers;

    public async Task<DnsAnswer> AskAsync(string name, QueryType type, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            var response = await client.QueryAsync(name, type, QueryClass.IN, either.Token);
            return response.Header.ResponseCode switch
            {
                DnsHeaderResponseCode.NoError => Read(response, name, type),
                DnsHeaderResponseCode.NotExistentDomain =>
                    new DnsAnswer(DnsAnswerKind.NoSuchName, [], name, response.Header.IsAuthenticData, $"{name} does not exist")
                    {
                        Life = Life(response, isAbsence: true),
                    },
                DnsHeaderResponseCode.ServerFailure when await IsBogusAsync(name, type, either.Token) =>
                    new DnsAnswer(DnsAnswerKind.Bogus, [], name, false, $"the {type} records of {name} do not validate (DNSSEC bogus)"),
                var code => DnsAnswer.Failed(name, $"looking up {type} of {name}: {code}"),
            };
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return DnsAnswer.Failed(name, $"looking up {type} of {name}: no answer within {options.Timeout.TotalSeconds:F0} s");
        }
        catch (DnsResponseException fault) when (fault.Code == DnsResponseCode.ConnectionTimeout)
        {
            // Its own words name the query's number, which is another each time.
            cancellation.ThrowIfCancellationRequested();
            return DnsAnswer.Failed(name, $"looking up {type} of {name}: no answer from {string.Join(", ", resolvers)}");
        }
        catch (Exception fault) when (fault is DnsResponseException or SocketException or ArgumentException or InvalidOperationException)
        {
            // ArgumentException: DnsClient refuses a name, or a reply that it cannot read.
            cancellation.ThrowIfCancellationRequested();
            return DnsAnswer.Failed(name, $"looking up {type} of {name}: {fault.Message}");
        }
    }

    private async Task<bool> IsBogusAsync(string name, QueryType type, CancellationToken cancellation)
    {
        foreach (var resolver in resolvers)
        {
            if (await CheckingDisabledQuery.SucceedsAsync(resolver, name, type, cancellation))
                return true;
        }

        return false;
    }

    private static DnsAnswer Read(IDnsQueryResponse response, string name, QueryType type)
    {
        var owner = DnsNames.Plain(name);
        for (var links = 0; ; links++)
        {
            var alias = response.Answers.OfType<CNameRecord>()
                .FirstOrDefault(record => DnsNames.Plain(record.DomainName.Value) == owner);
            if (alias is null)
                break;
            if (links == DnsLimits.Aliases)
                return DnsAnswer.Failed(name, $"more than {DnsLimits.Aliases} CNAME records in a row from {name}");
            owner = DnsNames.Plain(alias.CanonicalName.Value);
        }

        var records = response.Answers
            .Where(record => (int)record.RecordType == (int)type && DnsNames.Plain(record.DomainName.Value) == owner)
            .ToImmutableArray();
        return new DnsAnswer(
            records.IsEmpty ? DnsAnswerKind.NoData : DnsAnswerKind.Records, records, owner, response.Header.IsAuthenticData,
            records.IsEmpty ? $"{name} has no {type} record" : null)
        {
            Life = Life(response, records.IsEmpty),
        };
    }

    /// <summary>The least TTL of what the answer rests on: aliases and signatures too, and of an absence the SOA record's (RFC 2308 section 5).</summary>
    private static TimeSpan Life(IDnsQueryResponse response, bool isAbsence)
    {
        var least = isAbsence ? 0L : long.MaxValue;
        if (isAbsence && response.Authorities.OfType<SoaRecord>().FirstOrDefault() is { } authority)
            least = Math.Min(authority.InitialTimeToLive, authority.Minimum);
        foreach (var record in response.Answers)
            least = Math.Min(least, record.InitialTimeToLive);
        // RFC 2181 section 8: a TTL with the highest bit is taken as zero.
        return TimeSpan.FromSeconds(Math.Clamp(least, 0, int.MaxValue));
    }
}
