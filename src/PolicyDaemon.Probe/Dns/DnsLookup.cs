using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using DnsQuestion = PolicyDaemon.Core.Discovery.DnsQuestion;

namespace PolicyDaemon.Probe.Dns;

/// <summary>Asks one DNS question: each configured resolver in turn, until one has an answer.</summary>
/// <remarks>
/// <code>
/// a try       2 s (TryTimeout), then the next resolver; after the last one a second round of those that were silent
/// in all      dns_timeout (DnsOptions.Timeout)
/// an answer   NOERROR, NXDOMAIN; SERVFAIL that succeeds with checking disabled: bogus, and no other resolver is asked, since
///             one that does not validate would answer it
/// a failure   SERVFAIL, REFUSED, nonsense, silence: the next one may know better
/// </code>
/// No more than 256 questions are out at once: more would only wait in the resolver's own queue.
/// </remarks>
internal sealed class DnsLookup : IDisposable
{
    private const int MaxQuestions = 256;
    private const int Rounds = 2;

    private readonly DnsOptions options;
    private readonly TimeProvider time;
    private readonly ImmutableArray<(IPEndPoint EndPoint, LookupClient Client)> servers;
    private readonly SemaphoreSlim room = new(MaxQuestions);

    public DnsLookup(DnsOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        servers = [.. (options.Resolvers.IsEmpty ? SystemResolvers.Read() : options.Resolvers).Select(endpoint => (endpoint, Client(endpoint)))];
    }

    public ImmutableArray<IPEndPoint> Servers => [.. servers.Select(server => server.EndPoint)];

    /// <summary>Asks a question. A failure is an answer of its own kind; only the caller's cancellation throws.</summary>
    /// <remarks>The answer's security is what its AD bit says; what that is worth is decided by who trusts the resolver.</remarks>
    public async Task<DnsAnswer> AskAsync(DnsQuestion question, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var asked = time.GetUtcNow();
        var problems = new SortedDictionary<int, ResolverFailure>();
        try
        {
            await room.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return DnsAnswer.Failed(question, asked, $"looking up {question}: not asked within {Seconds(options.Timeout)}, too many questions wait");
        }

        try
        {
            HashSet<int> silent = [.. Enumerable.Range(0, servers.Length)];
            for (var round = 0; round < Rounds && silent.Count > 0; round++)
            {
                foreach (var index in silent.Order().ToList())
                {
                    var (answer, problem) = await TryAsync(servers[index].EndPoint, servers[index].Client, question, asked, either.Token, cancellation);
                    if (answer is not null)
                        return answer;
                    problems[index] = new ResolverFailure(Name(servers[index].EndPoint), problem ?? $"does not answer within {Seconds(options.TryTimeout < options.Timeout ? options.TryTimeout : options.Timeout)}");
                    if (problem is not null)
                        silent.Remove(index);
                    if (deadline.IsCancellationRequested)
                        return Failed();
                }
            }

            return Failed();
        }
        finally
        {
            room.Release();
        }

        DnsAnswer Failed() => DnsAnswer.Failed(question, asked, $"{ResolverFailure.Clause(problems.Values)} for {question}") with { Failures = [.. problems.Values] };
    }

    /// <summary>How often resolvers failed to answer a question.</summary>
    public DnsFailures Failures { get; } = new();

    public void Dispose() => room.Dispose();

    private static LookupClient Client(IPEndPoint endpoint) => new(new LookupClientOptions(new NameServer(endpoint))
    {
        // The resolver caches; a second cache would only hide changes. What many destinations share: SharedAnswers.
        UseCache = false,
        // DO: a validating resolver then sets AD (RFC 4035 section 3.2.3).
        RequestDnsSecRecords = true,
        ThrowDnsErrors = false,
        ContinueOnDnsError = false,
        ContinueOnEmptyResponse = false,
        Retries = 0,
        // Our own deadlines rule: they go by the clock that everything goes by.
        Timeout = Timeout.InfiniteTimeSpan,
        UseTcpFallback = true,
    });

    /// <returns>The resolver's answer, or why it cannot be used, or neither where the resolver did not answer in time.</returns>
    private async Task<(DnsAnswer? Answer, string? Problem)> TryAsync(
        IPEndPoint endpoint, LookupClient client, DnsQuestion question, DateTimeOffset asked, CancellationToken all, CancellationToken caller)
    {
        using var deadline = new CancellationTokenSource(options.TryTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(all, deadline.Token);
        try
        {
            var response = await client.QueryAsync(question.Name, (QueryType)question.Type, QueryClass.IN, either.Token);
            switch (response.Header.ResponseCode)
            {
                case DnsHeaderResponseCode.NoError:
                    return Read(response, question, endpoint, asked);
                case DnsHeaderResponseCode.NotExistentDomain:
                    return (Answer(response, question, endpoint, asked, DnsAnswerKind.NoSuchName, question.Name, []) with { Detail = $"{question.Name} does not exist" }, null);
                case DnsHeaderResponseCode.ServerFailure when await IsBogusAsync(endpoint, question, all):
                    Failures.Note(DnsFailure.Bogus);
                    return (DnsAnswer.Failed(question, asked, $"the {question.Type.Text()} records of {question.Name} do not validate (DNSSEC bogus)") with
                    {
                        Kind = DnsAnswerKind.Bogus,
                        Security = DnssecStatus.Bogus,
                        Resolver = endpoint.ToString(),
                    }, null);
                default:
                    Failures.Note(response.Header.ResponseCode switch
                    {
                        DnsHeaderResponseCode.ServerFailure => DnsFailure.ServFail,
                        DnsHeaderResponseCode.Refused => DnsFailure.Refused,
                        _ => DnsFailure.Other,
                    });
                    return (null, $"answers {CodeName(response.Header.ResponseCode)}");
            }
        }
        catch (OperationCanceledException)
        {
            caller.ThrowIfCancellationRequested();
            Failures.Note(DnsFailure.Timeout);
            return (null, null);
        }
        catch (DnsResponseException fault) when (fault.Code == DnsResponseCode.ConnectionTimeout)
        {
            caller.ThrowIfCancellationRequested();
            Failures.Note(DnsFailure.Timeout);
            return (null, null);
        }
        catch (Exception fault) when (fault is DnsResponseException or SocketException or ArgumentException or InvalidOperationException)
        {
            // ArgumentException: DnsClient refuses a name, or a reply that it cannot read. The socket of a question that was given
            // up is closed under it.
            caller.ThrowIfCancellationRequested();
            Failures.Note(deadline.IsCancellationRequested ? DnsFailure.Timeout : DnsFailure.Other);
            return deadline.IsCancellationRequested ? (null, null) : (null, Predicate(fault));
        }
    }

    private async Task<bool> IsBogusAsync(IPEndPoint endpoint, DnsQuestion question, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.TryTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            return await CheckingDisabledQuery.SucceedsAsync(endpoint, question, either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return false;
        }
    }

    private static (DnsAnswer? Answer, string? Problem) Read(IDnsQueryResponse response, DnsQuestion question, IPEndPoint endpoint, DateTimeOffset asked)
    {
        var owner = question.Name;
        // A question for the alias itself is answered by its first link.
        for (var links = 0; question.Type != DnsType.CName; links++)
        {
            var alias = response.Answers.OfType<CNameRecord>()
                .FirstOrDefault(record => DnsNames.Plain(record.DomainName) == owner);
            if (alias is null)
                break;
            if (links == DnsLimits.Aliases)
                return (null, $"answers with more than {DnsLimits.Aliases} CNAME records in a row");
            owner = DnsNames.Plain(alias.CanonicalName);
        }

        var records = response.Answers
            .Where(record => (int)record.RecordType == (int)question.Type && DnsNames.Plain(record.DomainName) == owner)
            .Select(Text)
            .OfType<string>()
            .ToImmutableArray();
        return records.IsEmpty
            ? (Answer(response, question, endpoint, asked, DnsAnswerKind.NoData, owner, records) with { Detail = $"{question.Name} has no {question.Type.Text()} record" }, null)
            : (Answer(response, question, endpoint, asked, DnsAnswerKind.Records, owner, records), null);
    }

    private static DnsAnswer Answer(
        IDnsQueryResponse response, DnsQuestion question, IPEndPoint endpoint, DateTimeOffset asked, DnsAnswerKind kind, string owner, ImmutableArray<string> data) => new()
    {
        Name = question.Name,
        Type = question.Type,
        Kind = kind,
        CanonicalName = owner,
        Data = data,
        AuthenticData = response.Header.IsAuthenticData,
        Security = response.Header.IsAuthenticData ? DnssecStatus.Secure : DnssecStatus.Insecure,
        Ttl = Life(response, isAbsence: kind != DnsAnswerKind.Records),
        Resolver = endpoint.ToString(),
        At = asked,
        Detail = null,
    };

    private static string? Text(DnsResourceRecord record) => record switch
    {
        AddressRecord address => address.Address.ToString(),
        MxRecord mx => string.Create(CultureInfo.InvariantCulture, $"{mx.Preference} {(DnsNames.Plain(mx.Exchange) is { Length: > 0 } name ? name : ".")}"),
        CNameRecord alias => DnsNames.Plain(alias.CanonicalName),
        // RFC 8461 section 3.1, RFC 7208 section 3.3: several strings of one record belong together.
        TxtRecord txt => string.Concat(txt.Text),
        DnsClient.Protocol.TlsaRecord tlsa => string.Create(
            CultureInfo.InvariantCulture,
            $"{(byte)tlsa.CertificateUsage} {(byte)tlsa.Selector} {(byte)tlsa.MatchingType} {Convert.ToHexStringLower([.. tlsa.CertificateAssociationData])}"),
        _ => null,
    };

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

    /// <summary>What a resolver does that makes DnsClient throw.</summary>
    private static string Predicate(Exception fault)
    {
        for (var inner = fault; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException socket)
            {
                return socket.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "refuses connections",
                    SocketError.NetworkUnreachable or SocketError.HostUnreachable => "cannot be reached from here",
                    _ => $"cannot be asked ({socket.Message})",
                };
            }
        }

        return fault is DnsResponseException or ArgumentException ? "answers what is not DNS" : $"cannot be asked ({fault.Message})";
    }

    private static string Name(IPEndPoint resolver) => resolver.Port == SystemResolvers.Port ? resolver.Address.ToString() : resolver.ToString();

    private static string CodeName(DnsHeaderResponseCode code) => code switch
    {
        DnsHeaderResponseCode.ServerFailure => "SERVFAIL",
        DnsHeaderResponseCode.Refused => "REFUSED",
        DnsHeaderResponseCode.FormatError => "FORMERR",
        DnsHeaderResponseCode.NotImplemented => "NOTIMP",
        _ => code.ToString(),
    };

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");
}

/// <summary>The form of DNS names in this program.</summary>
internal static class DnsNames
{
    /// <summary>A name of DnsClient in lower case without its final dot; empty for the root.</summary>
    /// <remarks>
    /// As the reply has it: DnsClient turns A-labels into U-labels, which are the names of nothing in DNS. It keeps the name from the
    /// wire in <see cref="DnsString.Value"/> where it stands in a record's data, and in <see cref="DnsString.Original"/> where it is an owner's.
    /// </remarks>
    public static string Plain(DnsString name) =>
        Plain(name.Original.Contains(DnsString.ACEPrefix, StringComparison.Ordinal) ? name.Original : name.Value);

    /// <summary>A name of DnsClient in lower case without its final dot; empty for the root.</summary>
    public static string Plain(string name) => name.TrimEnd('.').ToLowerInvariant();
}
