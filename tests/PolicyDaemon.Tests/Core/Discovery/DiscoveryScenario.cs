using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

/// <summary>A destination in recorded DNS answers and policy texts, discovered as often as a test wants.</summary>
/// <remarks>
/// <code>
/// MX      S signed   W unsigned   F fails   B bogus   0 none, signed   w none, unsigned   D no such domain   Z null MX   z the same, signed
/// hosts   T10 N20    a letter and the preference each; the first is mx1.example.com, then mx2 and so on
///   X no address          x both lookups fail       I insecure                  L the MX record names an address
///   N no TLSA             n TLSA records insecure   U usage 1                   u a digest of the wrong length
///   T usable TLSA         t usable beside unusable  E TLSA lookup fails         e TLSA answer bogus
///   A alias, all secure, TLSA at its end            a secure alias into an unsigned zone, TLSA at the name
///   b insecure alias      c alias whose CNAME lookup fails                      d alias, all secure, TLSA at the name only
///   f usable TLSA, AAAA fails                       g usable TLSA, A is bogus   h addresses insecure in one family, usable TLSA by the other
/// </code>
/// </remarks>
internal sealed class DiscoveryScenario
{
    public const string Enforce = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: *.example.com\nmx: example.com\n";

    private readonly Dictionary<DnsQuestion, DnsAnswer> dns = [];

    public NextHop Key { get; init; } = NextHop.Parse("example.com");

    public DiscoverySettings Settings { get; set; } = DiscoverySettings.Default;

    public DateTimeOffset Now { get; set; } = TestCertificates.Now;

    public bool IsVouched { get; set; } = true;

    public int Ttl { get; set; } = 600;

    /// <summary>What the policy host serves; null: it cannot be reached.</summary>
    public string? Served { get; set; }

    /// <summary>How fetching fails where nothing is served.</summary>
    public StsStatus FetchFailure { get; set; } = StsStatus.FetchError;

    public Discovered Memory { get; set; } = Discovered.Unseen(NextHop.Parse("example.com"));

    /// <summary>How often the policy was fetched.</summary>
    public int Fetches { get; private set; }

    public DiscoveryEvidence? Last { get; private set; }

    private int Port => Key.Port ?? 25;

    public static DiscoveryScenario Of(string mx, string hosts, bool enforce = false)
    {
        var scenario = new DiscoveryScenario();
        scenario.Mx(mx, hosts);
        if (enforce)
            scenario.Publish(Enforce);
        return scenario;
    }

    public void Mx(string state, string hosts)
    {
        var names = new List<string>();
        var own = "0w".Contains(state[0], StringComparison.Ordinal);
        foreach (var (spec, index) in hosts.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((spec, index) => (spec, index)))
        {
            var name = spec[0] == 'L' ? $"192.0.2.{index + 1}" : own ? Key.Host : string.Create(CultureInfo.InvariantCulture, $"mx{index + 1}.example.com");
            names.Add($"{spec[1..]} {name}");
            Host(name, spec[0]);
        }

        Set(state[0] switch
        {
            'S' => Answer(Key.Host, DnsType.Mx, true, [.. names]),
            'W' => Answer(Key.Host, DnsType.Mx, false, [.. names]),
            'F' => DnsAnswer.Failed(new DnsQuestion(Key.Host, DnsType.Mx), Now, $"looking up MX of {Key.Host}: SERVFAIL"),
            'B' => Fault(Key.Host, DnsType.Mx, DnsAnswerKind.Bogus),
            '0' => Absence(Key.Host, DnsType.Mx, true),
            'w' => Absence(Key.Host, DnsType.Mx, false),
            'D' => Absence(Key.Host, DnsType.Mx, true) with { Kind = DnsAnswerKind.NoSuchName, Detail = $"{Key.Host} does not exist" },
            'z' => Answer(Key.Host, DnsType.Mx, true, "0 ."),
            _ => Answer(Key.Host, DnsType.Mx, false, "0 ."),
        });
    }

    public void Host(string name, char kind)
    {
        var secure = !"Ib".Contains(kind, StringComparison.Ordinal);
        var tlsa = string.Create(CultureInfo.InvariantCulture, $"_{Port}._tcp.{name}");
        string[] record = ["3 1 1 " + new string('a', 64)];
        Set(Answer(name, DnsType.A, secure, "192.0.2.1"));
        Set(Absence(name, DnsType.Aaaa, secure));
        Set(Absence(tlsa, DnsType.Tlsa, secure));
        switch (kind)
        {
            case 'X':
                Set(Absence(name, DnsType.A, secure));
                break;
            case 'x':
                Set(Fault(name, DnsType.A, DnsAnswerKind.Failed));
                Set(Fault(name, DnsType.Aaaa, DnsAnswerKind.Failed));
                break;
            case 'T':
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
            case 't':
                Set(Answer(tlsa, DnsType.Tlsa, true, "1 1 1 " + new string('b', 64), record[0]));
                break;
            case 'n':
                Set(Answer(tlsa, DnsType.Tlsa, false, record));
                break;
            case 'U':
                Set(Answer(tlsa, DnsType.Tlsa, true, "1 1 1 " + new string('b', 64)));
                break;
            case 'u':
                Set(Answer(tlsa, DnsType.Tlsa, true, "3 1 1 abcd", "3 2 1 " + new string('b', 64), "3 1 9 " + new string('b', 64)));
                break;
            case 'E':
                Set(Fault(tlsa, DnsType.Tlsa, DnsAnswerKind.Failed));
                break;
            case 'e':
                Set(Fault(tlsa, DnsType.Tlsa, DnsAnswerKind.Bogus));
                break;
            case 'A' or 'd':
                Set(Answer(name, DnsType.A, true, "192.0.2.1") with { CanonicalName = $"end.{name}" });
                Set(Absence($"_{Port}._tcp.end.{name}", DnsType.Tlsa, true));
                Set(kind == 'd' ? Answer(tlsa, DnsType.Tlsa, true, record) : Answer($"_{Port}._tcp.end.{name}", DnsType.Tlsa, true, record));
                break;
            case 'a':
                Alias(name);
                Set(Answer(name, DnsType.CName, true, $"end.{name}"));
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
            case 'b':
                Alias(name);
                Set(Answer(name, DnsType.CName, false, $"end.{name}"));
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
            case 'c':
                Alias(name);
                Set(Fault(name, DnsType.CName, DnsAnswerKind.Failed));
                break;
            case 'f':
                Set(Fault(name, DnsType.Aaaa, DnsAnswerKind.Failed));
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
            case 'g':
                Set(Fault(name, DnsType.A, DnsAnswerKind.Bogus));
                Set(Answer(name, DnsType.Aaaa, true, "2001:db8::1"));
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
            case 'h':
                Set(Answer(name, DnsType.A, false, "192.0.2.1"));
                Set(Answer(name, DnsType.Aaaa, true, "2001:db8::1"));
                Set(Answer(tlsa, DnsType.Tlsa, true, record));
                break;
        }
    }

    /// <summary>The domain announces and serves this policy.</summary>
    public void Publish(string text, string id = "1")
    {
        Announce($"v=STSv1; id={id};");
        Served = text;
    }

    /// <summary>What the TXT records say; none for no argument.</summary>
    public void Announce(params string[] records) => Set(records.Length == 0
        ? Absence($"_mta-sts.{Key.Host}", DnsType.Txt, false)
        : Answer($"_mta-sts.{Key.Host}", DnsType.Txt, false, records));

    public void AnnouncementFails() => Set(Fault($"_mta-sts.{Key.Host}", DnsType.Txt, DnsAnswerKind.Failed));

    public void Set(DnsAnswer answer) => dns[answer.Question] = answer;

    /// <summary>Asks for the destination: renews what is due, and judges.</summary>
    public DiscoveryVerdict Use()
    {
        var before = Memory with { Key = Key };
        if (before.IsDue(Settings, Now))
        {
            var answers = new Dictionary<DnsQuestion, DnsAnswer>();
            var hasFacts = before.IsFactsDue(Now);
            if (hasFacts)
                Assert.True(MxReader.Read(Key, [], Now, Find).Open.IsEmpty, "no question stays open");
            if (before.HasSts(Settings) && StsRules.IsRecordDue(before.Sts, Now))
                Find(StsRecord.Question(Key));
            Last = new DiscoveryEvidence
            {
                Key = Key,
                At = Now,
                IsVouched = IsVouched,
                Resolver = null,
                Conditions = Settings,
                Before = before,
                HasFacts = hasFacts,
                Answers = [.. answers.Values],
                Fetch = null,
            };
            Memory = DiscoveryDecision.Of(Last, spread: 1);
            if (before.HasSts(Settings) && StsRules.IsFetchDue(Memory.Sts, before.Sts, Now, Memory.HasUncoveredHost(Now)))
            {
                Fetches++;
                Last = Last with { Fetch = Served is null ? new StsFetch(Now, FetchFailure, null, "no route to host") : StsFetch.Served(Now, Served) };
                Memory = DiscoveryDecision.Of(Last, spread: 1);
            }

            DnsAnswer Find(DnsQuestion question)
            {
                if (answers.TryGetValue(question, out var earlier))
                    return earlier;
                var answer = dns.TryGetValue(question, out var set) ? set : Absence(question.Name, question.Type, false);
                return answers[question] = answer with
                {
                    At = Now,
                    Ttl = TimeSpan.FromSeconds(Ttl),
                    Security = IsVouched || !answer.Worked ? answer.Security : DnssecStatus.Unknown,
                };
            }
        }

        return Judge();
    }

    /// <summary>Judges what is remembered.</summary>
    public DiscoveryVerdict Judge() => DiscoveryVerdict.Of(Memory, Settings, Now)!;

    /// <summary>Some time later, the destination is used.</summary>
    public DiscoveryVerdict UseAfter(TimeSpan time)
    {
        Now += time;
        return Use();
    }

    public static DiscoverySettings At(TlsLevel level, bool dane = true, bool sts = true) => new(level, dane, sts);

    private void Alias(string name)
    {
        Set(Answer(name, DnsType.A, false, "192.0.2.1") with { CanonicalName = $"end.{name}" });
        Set(Absence(name, DnsType.Aaaa, false) with { CanonicalName = $"end.{name}" });
    }

    private DnsAnswer Answer(string name, DnsType type, bool secure, params string[] data) => new()
    {
        Name = name,
        Type = type,
        Kind = DnsAnswerKind.Records,
        CanonicalName = name,
        Data = [.. data],
        AuthenticData = secure,
        Security = secure ? DnssecStatus.Secure : DnssecStatus.Insecure,
        Ttl = TimeSpan.FromSeconds(Ttl),
        Resolver = "127.0.0.1:53",
        At = Now,
        Detail = null,
    };

    private DnsAnswer Absence(string name, DnsType type, bool secure) =>
        Answer(name, type, secure) with { Kind = DnsAnswerKind.NoData, Detail = $"{name} has no {type.Text()} record" };

    private DnsAnswer Fault(string name, DnsType type, DnsAnswerKind kind) => Answer(name, type, false) with
    {
        Kind = kind,
        Security = kind == DnsAnswerKind.Bogus ? DnssecStatus.Bogus : DnssecStatus.Unknown,
        Detail = $"looking up {type.Text()} of {name}: SERVFAIL",
    };
}
