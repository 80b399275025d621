using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Reads out of DNS answers where the mail of a next-hop destination goes, as Postfix would, and names the questions that are still open.</summary>
/// <remarks>
/// <code>
/// example.com  example.com:587     MX; without MX the name itself (RFC 5321 section 5.1); an MX "0 ." takes no mail (RFC 7505)
/// [mx.example.com]  [192.0.2.1]    no MX lookup
/// .example.com                     as example.com, whose servers stand for those of its subdomains, unless hosts are named
/// each MX host                     A and AAAA, aliases followed
///   a family is secure             TLSA at the end of the aliases, then at the name (RFC 7672 section 2.2.3)
///   insecure, and an alias         CNAME at the name; where that is secure, TLSA at the name
/// </code>
/// <para>Asking and reading are apart, so that what was asked once can be judged again: whoever asks puts every open question and
/// reads anew until none is left. What failed is a failure of ours and never an absence.</para>
/// <para>A family that failed does not matter where the other one has addresses: Postfix uses those (dns_lookup_v, DNS_REQ_FLAG_NONE).
/// One that fails at the TLSA records does: Postfix passes over the host (tls_dane_resolve).</para>
/// </remarks>
public static class MxReader
{
    private const int SmtpPort = 25;

    /// <param name="nextHop">The destination.</param>
    /// <param name="hosts">Host names for a key that answers for subdomains, in the place of its domain's; empty: none are named.</param>
    /// <param name="at">When it is read, UTC.</param>
    /// <param name="find">The answer to a question; null where it has not been asked.</param>
    public static MxReading Read(NextHop nextHop, ImmutableArray<string> hosts, DateTimeOffset at, Func<DnsQuestion, DnsAnswer?> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        var reading = new Reading(nextHop, at, find);
        return reading.Run(hosts);
    }

    /// <summary>True for a name that a host can have: it may be shown, stored and connected to.</summary>
    /// <remarks>A zone can hold any octets in a name; blanks and braces have no business in a log line or an answer.</remarks>
    public static bool IsHostName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > 253)
            return false;
        foreach (var label in name.Split('.'))
        {
            if (label.Length is 0 or > 63 || label.Any(character => !(char.IsAsciiLetterOrDigit(character) || character is '-' or '_')))
                return false;
        }

        return true;
    }

    private sealed class Reading(NextHop nextHop, DateTimeOffset at, Func<DnsQuestion, DnsAnswer?> find)
    {
        private readonly List<DnsQuestion> open = [];
        private readonly List<DnsAnswer> used = [];
        private readonly int port = nextHop.Port ?? SmtpPort;

        public MxReading Run(ImmutableArray<string> named)
        {
            if (nextHop.IsPath)
                return Ended(MxState.Given, DnsOutcome.NoMx, "a key with a slash is the path of an LMTP socket, which has no MX host to probe");
            if (nextHop.Port is null && HasServiceName())
                return Ended(MxState.Given, DnsOutcome.NoMx, $"the service name in {nextHop} is not known here; write the port's number");
            if (nextHop.IsSubdomains && !named.IsEmpty)
                return Given([.. named.Take(DnsLimits.MxHosts)]);
            return nextHop.IsBracketed || IPAddress.TryParse(nextHop.Host, out _) ? Given([nextHop.Host]) : ByMx();
        }

        private bool HasServiceName() =>
            nextHop.Text.AsSpan(nextHop.Text.LastIndexOf(nextHop.Host, StringComparison.Ordinal) + nextHop.Host.Length).Contains(':');

        private MxReading Given(ImmutableArray<string> names) =>
            Complete(MxState.Given, [.. names.Select(name => Host(name, 0))], DnssecStatus.Unknown, isGiven: true);

        private MxReading ByMx()
        {
            if (!TryFind(nextHop.Host, DnsType.Mx, out var answer))
                return Ended(MxState.Failed, DnsOutcome.Failed, null);
            switch (answer.Kind)
            {
                case DnsAnswerKind.Failed:
                    return Ended(MxState.Failed, DnsOutcome.Failed, answer.Detail);
                case DnsAnswerKind.Bogus:
                    return Ended(MxState.Failed, DnsOutcome.Bogus, answer.Detail, answer.Security);
                case DnsAnswerKind.NoSuchName:
                    return Ended(MxState.NoDomain, DnsOutcome.NoMx, answer.Detail, answer.Security);
                case DnsAnswerKind.NoData:
                    return Complete(MxState.Implicit, [Host(nextHop.Host, 0)], answer.Security, isImplicit: true);
            }

            var records = answer.Data.Select(Record)
                .Where(record => record.Name is not null)
                .OrderBy(record => record.Preference).ThenBy(record => record.Name, StringComparer.Ordinal)
                .DistinctBy(record => record.Name)
                .ToList();
            // One among others is enough for Postfix (dns_lookup.c, dns_get_answer).
            if (records.Exists(record => record.Name == "."))
                return Ended(MxState.NullMx, DnsOutcome.NullMx, $"{nextHop.Host} takes no mail (null MX, RFC 7505)", answer.Security);
            var state = answer.Security == DnssecStatus.Secure ? MxState.Secure : MxState.Insecure;
            var usable = records.FindAll(record => IsAddress(record.Name!) || (IsHostName(record.Name!) && !IPAddress.TryParse(record.Name, out _)));
            if (usable.Count == 0)
                return Ended(state, DnsOutcome.NoMx, $"no MX record of {nextHop.Host} names a host", answer.Security);
            var reading = Complete(
                state, [.. usable.Take(DnsLimits.MxHosts).Select(record => Host(record.Name!, record.Preference))], answer.Security, all: usable.Count);
            return answer.CanonicalName == nextHop.Host
                ? reading
                : reading with { Resolution = reading.Resolution with { CanonicalName = answer.CanonicalName } };
        }

        private static (int Preference, string? Name) Record(string data)
        {
            var blank = data.IndexOf(' ', StringComparison.Ordinal);
            return blank > 0 && ushort.TryParse(data.AsSpan(0, blank), NumberStyles.None, CultureInfo.InvariantCulture, out var preference)
                ? (preference, data[(blank + 1)..])
                : (0, null);
        }

        // Postfix warns of a "numeric domain name in resource data of MX record" and goes on (dns_lookup.c, valid_rr_name); what only
        // inet_aton takes for an address, such as 10 or 192.168.1, it does not.
        private static bool IsAddress(string name) => IPAddress.TryParse(name, out var address) && address.ToString() == name;

        private MxHost Host(string name, int preference)
        {
            if (IPAddress.TryParse(name, out var literal))
                return new MxHost { Name = literal.ToString(), Preference = preference, Addresses = [literal] };
            var isAnswered = TryFind(name, DnsType.A, out var four) & TryFind(name, DnsType.Aaaa, out var six);
            if (!isAnswered)
                return new MxHost { Name = name, Preference = preference };

            DnsAnswer[] answers = [four, six];
            ImmutableArray<DnsAnswer> found = [.. answers.Where(answer => answer.Kind == DnsAnswerKind.Records)];
            var host = new MxHost
            {
                Name = name,
                Preference = preference,
                Addresses = [.. found.SelectMany(Addresses)],
                CanonicalName = answers.Select(answer => answer.CanonicalName).FirstOrDefault(canonical => canonical != name),
                AddressOutcome = AddressOutcome(answers, found.Length > 0),
                // Of several families the best counts, as TLSA records are asked for where one of them is secure.
                AddressDnssec = (found.IsEmpty ? answers : found.AsEnumerable()).Select(answer => answer.Security).MaxBy(Rank),
                Detail = answers.FirstOrDefault(answer => !answer.Worked)?.Detail,
            };
            if (found.IsEmpty)
                return host;
            // RFC 7672 section 2.2.2: no TLSA lookup for insecure addresses; some unsigned zones' servers drop the question.
            if (found.FirstOrDefault(answer => answer.AuthenticData) is { } secure)
                return WithTlsa(host, secure.CanonicalName == name ? [name] : [secure.CanonicalName, name]);
            return host.CanonicalName is null ? host : WithSecureAlias(host);
        }

        private static IEnumerable<IPAddress> Addresses(DnsAnswer answer) => answer.Data
            .Select(text => IPAddress.TryParse(text, out var address) ? address : null)
            .OfType<IPAddress>().Distinct()
            .OrderBy(address => address.ToString(), StringComparer.Ordinal)
            .Take(DnsLimits.Addresses);

        /// <summary>A secure alias that leads into an unsigned zone: the TLSA records stand at the alias (RFC 7672 section 2.2.3; tls_dane.c, qname_secure).</summary>
        private MxHost WithSecureAlias(MxHost host)
        {
            if (!TryFind(host.Name, DnsType.CName, out var alias))
                return host;
            // An alias that is gone meanwhile is an error to Postfix, too.
            if (alias.Kind != DnsAnswerKind.Records)
                return host with { TlsaBase = host.Name, TlsaFailed = true, Detail = alias.Detail };
            return alias.AuthenticData ? WithTlsa(host, [host.Name]) : host;
        }

        private MxHost WithTlsa(MxHost host, IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                host = host with { TlsaBase = name };
                if (!TryFind(string.Create(CultureInfo.InvariantCulture, $"_{port}._tcp.{name}"), DnsType.Tlsa, out var answer))
                    return host;
                host = host with { TlsaDnssec = answer.Security };
                // Postfix asks at the next name after an absence only.
                if (!answer.Worked)
                    return host with { TlsaFailed = true, Detail = answer.Detail };
                // Insecure records are none (dane_lookup), to show them is useful all the same.
                if (answer.Kind == DnsAnswerKind.Records)
                    host = host with { Tlsa = [.. answer.Data.Select(TlsaRecord.Parse).OfType<TlsaRecord>().Take(DnsLimits.TlsaRecords)] };
                if (answer.Kind == DnsAnswerKind.Records && answer.AuthenticData)
                    return host;
            }

            return host;
        }

        private static DnsOutcome AddressOutcome(DnsAnswer[] answers, bool any)
        {
            if (Array.Exists(answers, answer => answer.Kind == DnsAnswerKind.Bogus))
                return DnsOutcome.Bogus;
            if (Array.Exists(answers, answer => answer.Kind == DnsAnswerKind.Failed))
                return DnsOutcome.Failed;
            return any ? DnsOutcome.Found : DnsOutcome.NoAddress;
        }

        private static int Rank(DnssecStatus status) => status switch
        {
            DnssecStatus.Secure => 3,
            DnssecStatus.Insecure => 2,
            DnssecStatus.Unknown => 1,
            _ => 0,
        };

        private bool TryFind(string name, DnsType type, out DnsAnswer answer)
        {
            var question = new DnsQuestion(name, type);
            if (find(question) is { } known)
            {
                answer = known;
                used.Add(known);
                return true;
            }

            answer = DnsAnswer.Failed(question, at, "not asked");
            if (!open.Contains(question))
                open.Add(question);
            return false;
        }

        private MxReading Complete(
            MxState state, ImmutableArray<MxHost> hosts, DnssecStatus dnssec, bool isGiven = false, bool isImplicit = false, int all = 0)
        {
            var outcome = hosts.Any(host => !host.Addresses.IsEmpty)
                ? DnsOutcome.Found
                : hosts.Select(host => host.AddressOutcome).MaxBy(Severity) is var worst and not DnsOutcome.NoAddress ? worst : DnsOutcome.NoMx;
            var ended = Ended(state, outcome, outcome switch
            {
                DnsOutcome.Found => Remarks(hosts, all),
                DnsOutcome.NoMx => $"no MX host of {nextHop} has an address",
                DnsOutcome.Failed when Failures() is { IsEmpty: false } failures =>
                    $"{ResolverFailure.Clause(failures)} for the addresses of {Names(hosts)}",
                _ => $"the addresses of {Names(hosts)} cannot be looked up",
            }, dnssec);
            return ended with { Resolution = ended.Resolution with { Hosts = hosts, HostIsGiven = isGiven, IsImplicit = isImplicit } };
        }

        private static string Names(ImmutableArray<MxHost> hosts) => string.Join(", ", hosts.Select(host => host.Name));

        private ImmutableArray<ResolverFailure> Failures() => [.. used.SelectMany(answer => answer.Failures).Distinct()];

        private static string? Remarks(ImmutableArray<MxHost> hosts, int all)
        {
            List<string> remarks = [];
            if (all > DnsLimits.MxHosts)
                remarks.Add($"{all} MX hosts; only the first {DnsLimits.MxHosts} are followed");
            if (all > 0 && hosts.Any(host => IsAddress(host.Name)))
                remarks.Add("an MX record names an address instead of a host (RFC 5321 section 5.1 forbids it), to which Postfix delivers all the same");
            return remarks.Count > 0 ? string.Join("; ", remarks) : null;
        }

        // Where nothing is found, a lookup that failed says that nothing is known.
        private static int Severity(DnsOutcome outcome) => outcome switch { DnsOutcome.Bogus => 2, DnsOutcome.Failed => 1, _ => 0 };

        private MxReading Ended(MxState state, DnsOutcome outcome, string? detail, DnssecStatus dnssec = DnssecStatus.Unknown) => new(
            state,
            new MxResolution { NextHop = nextHop, At = at, Port = port, Outcome = outcome, Detail = detail, Failures = Failures(), MxDnssec = dnssec },
            [.. open],
            [.. used]);
    }
}

/// <summary>What the MX lookup of a destination found.</summary>
public enum MxState
{
    /// <summary>The lookup failed; nothing is known.</summary>
    Failed,

    Secure,

    /// <summary>Unsigned, or nobody who is trusted says that they are secure.</summary>
    Insecure,

    /// <summary>The domain has no MX records, and takes mail itself (RFC 5321 section 5.1).</summary>
    Implicit,

    /// <summary>The domain does not exist.</summary>
    NoDomain,

    /// <summary>The domain takes no mail (RFC 7505).</summary>
    NullMx,

    /// <summary>Not asked for: the key names the host.</summary>
    Given,
}

/// <param name="State">What the MX records are.</param>
/// <param name="Resolution">Where mail goes; final once no question is open.</param>
/// <param name="Open">What has to be asked to know more.</param>
/// <param name="Used">The answers that it rests on.</param>
public sealed record MxReading(MxState State, MxResolution Resolution, ImmutableArray<DnsQuestion> Open, ImmutableArray<DnsAnswer> Used);
