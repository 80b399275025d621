using System.Diagnostics;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>policyd and Debian's postfix-mta-sts-resolver side by side, over the same zones and policy hosts.</summary>
[Collection(typeof(Probing))]
public sealed class BesideStsResolverStories(ProbingLaboratory lab) : DiscoveringStories(lab)
{
    private const string Enforce = "enforce";

    private static readonly (string Publishes, Situation Situation)[] Situations =
    [
        ("signed MX, usable TLSA records for every host", new("1", "S", "Tg10 Tg20", "dane-only", "")),
        ("the same", new("1", "S", "Tg10 Tg20", "dane-only", "") { Mode = Enforce }),
        ("signed MX, no TLSA records", new("2", "S", "Ng10", "not found", "")),
        ("the same", new("2", "S", "Ng10", "secure", "") { Mode = Enforce }),
        ("signed MX, TLSA records for the best host only", new("3", "S", "Tg10 Ng20", "dane", "")),
        ("the same", new("3", "S", "Tg10 Ng20", "dane-only", "") { Mode = Enforce }),
        ("signed MX, TLSA records for the second host only", new("4", "S", "Ng10 Tg20", "dane", "")),
        ("the same", new("4", "S", "Ng10 Tg20", "secure", "") { Mode = Enforce }),
        ("signed MX, unusable TLSA records", new("5", "S", "Ug10", "dane", "")),
        ("the same", new("5", "S", "Ug10", "secure", "") { Mode = Enforce }),
        ("signed MX, the TLSA lookup of one of two hosts fails", new("6", "S", "Tg10 Eg20", "dane", "")),
        ("the same", new("6", "S", "Tg10 Eg20", "dane-only", "") { Mode = Enforce }),
        ("unsigned MX, TLSA records", new("7", "W", "Tg10", "dane", "")),
        ("the same", new("7", "W", "Tg10", "secure", "") { Mode = Enforce }),
        ("unsigned MX, no TLSA records", new("8", "W", "Ig10", "not found", "")),
        ("the same", new("8", "W", "Ig10", "secure", "") { Mode = Enforce }),
        ("the same", new("8", "W", "Ig10", "not found", "") { Mode = "testing" }),
        ("the same", new("8", "W", "Ig10", "not found", "") { Mode = "none" }),
        ("the same, and the AAAA lookup fails", new("8", "W", "ig10", "secure", "") { Mode = Enforce }),
        ("no such domain", new("10", "D", "", "not found", "")),
        ("null MX", new("10", "Z", "", "not found", "")),
        ("no MX host has an address", new("11", "S", "X-10", "not found", "")),
        ("the address lookups of all hosts fail", new("11", "W", "x-10", "dane", "")),
        ("the MX record names an address", new("12", "W", "Lg10", "not found", "")),
        ("the domain is a signed alias, usable TLSA records", new("13", "C", "Tg10", "dane-only", "")),
        ("no MX host is one of the policy's", new("14", "W", "Ig10", "secure", "") { Mode = Enforce, Pattern = "mx.elsewhere.{0}" }),
        ("the key is a host in brackets, usable TLSA records", new("host", "B", "Tg10", "dane-only", "")),
    ];

    [Fact]
    public async Task Beside_each_other_they_answer_as_the_published_table_says()
    {
        var table = new PeerTable();
        await new SituationServers(Lab, Policies).PublishAsync([.. Situations.Select(one => one.Situation)], "beside");
        await using var peer = await StsResolver.StartAsync(Lab.Sandbox, Lab.Certificates);
        var prober = await StartAsync();
        await Task.WhenAll(Situations.Select(one => prober.AnswerAsync(one.Situation.Key)));
        foreach (var (publishes, one) in Situations)
        {
            await prober.Policyd.ServesAsync(one.Key, one.Text);
            await table.AddAsync(one.Row, publishes, one.Mode ?? "-", async () => PeerTable.Word(await peer.AnswerAsync(one.Key)), one.Answer);
        }

        await CompareHostsAsync(table, peer, prober);
        await CompareChangesAsync(table, peer, prober);
        await table.AssertPublishedAsync();
    }

    private static ServedPolicy Good(string domain) => ServedPolicy.Of(Enforce, "mx1." + domain);

    /// <summary>Policy hosts that fail at first sight.</summary>
    private async Task CompareHostsAsync(PeerTable table, StsResolver peer, Prober prober)
    {
        var slow = new TaskCompletionSource();
        (string Words, Func<ServedPolicy, ServedPolicy>? Does)[] faults =
        [
            ("the policy host is down", null),
            ("it redirects", policy => policy with { Status = "302 Found", Location = "https://www.plain.test/mta-sts.txt" }),
            ("its certificate is for another name", policy => policy with { CertificateName = "www.plain.test" }),
            ("its policy has a megabyte", policy => new(policy.Text + new string('\n', 1 << 20))),
            ("its policy is a page of HTML", policy => policy with { ContentType = "text/html" }),
            ("its policy names no host", policy => new(policy.Text[..policy.Text.IndexOf("mx:", StringComparison.Ordinal)])),
            ("it answers after 5 s; then", policy => policy with { Held = slow.Task }),
        ];
        string[] domains = [.. faults.Select((_, index) => $"beside-host{index}.plain.test")];
        foreach (var (domain, fault) in domains.Zip(faults))
        {
            Mail(domain);
            Announce(domain, fault.Does is { } does ? does(Good(domain)) : Good(domain));
            if (fault.Does is null) Lab.Dns.Set($"mta-sts.{domain}", "A", Nobody);
        }

        await Lab.Dns.PublishAsync();
        var asked = Task.WhenAll(domains.Select(peer.AnswerAsync));
        var first = PeerTable.Word(await prober.AnswerAsync(domains[^1]));
        var theirs = await asked;
        slow.SetResult();
        foreach (var (domain, fault, their) in domains[..^1].Zip(faults, theirs))
        {
            await prober.Policyd.ServesAsync(domain, "NOTFOUND ");
            table.Add("8", fault.Words, Enforce, PeerTable.Word(their), "not found");
        }

        await prober.Policyd.ServesAsync(domains[^1], "OK secure match=");
        table.Add("8", faults[^1].Words, Enforce, $"{PeerTable.Word(theirs[^1])}; {PeerTable.Word(await peer.AnswerAsync(domains[^1]))}", $"{first}; secure");
    }

    /// <summary>A policy is in force, and then something happens; ours is told that time passes, theirs looks whenever it is asked.</summary>
    private async Task CompareChangesAsync(PeerTable table, StsResolver peer, Prober prober)
    {
        (string Words, Action<string> Happens)[] changes =
        [
            ("then the policy host is gone, the id stays", domain => Lab.Dns.Set("mta-sts." + domain, "A", Nobody)),
            ("then the policy host is gone, the id is new", domain => Lab.Dns.Set("mta-sts." + domain, "A", Nobody).Set("_mta-sts." + domain, "TXT", "\"v=STSv1; id=2;\"")),
            ("then the record is gone", domain => Lab.Dns.Set("_mta-sts." + domain, "TXT")),
            ("then the lookup of the record fails", domain => Lab.Dns.Set("_mta-sts." + domain, "TXT").Set("_mta-sts." + domain, "NS", SituationServers.SilentNameServer)),
            ("then other hosts are named, the id is new", domain => Announce(domain, ServedPolicy.Of(Enforce, "mx2." + domain), id: "2")),
            ("then other hosts are named, the id stays", domain => Announce(domain, ServedPolicy.Of(Enforce, "mx2." + domain))),
            ("then it is withdrawn (mode none), the id is new", domain => Announce(domain, ServedPolicy.Of("none"), id: "2")),
            ("then it is withdrawn (mode none), the id stays", domain => Announce(domain, ServedPolicy.Of("none"))),
        ];
        string[] domains = [.. changes.Select((_, index) => $"beside-then{index}.plain.test")];
        const string Lapsed = "beside-lapsed.plain.test";
        foreach (var domain in domains.Append(Lapsed))
        {
            Mail(domain);
            Announce(domain, domain == Lapsed ? new(Good(domain).Text.Replace("604800", "1", StringComparison.Ordinal)) : Good(domain));
        }

        await Lab.Dns.PublishAsync();
        foreach (var domain in domains.Append(Lapsed))
        {
            await Until.TrueAsync($"mta-sts-daemon knows {domain}", async () => (await peer.AnswerAsync(domain)).StartsWith("OK secure match=", StringComparison.Ordinal));
            await prober.Policyd.ServesAsync(domain, "OK secure match=");
        }

        var lapsing = Stopwatch.StartNew();
        foreach (var (domain, change) in domains.Zip(changes)) change.Happens(domain);
        Lab.Dns.Set("mta-sts." + Lapsed, "A", Nobody);
        await Lab.Dns.PublishAsync();
        var restart = TimeProvider.System.GetUtcNow();
        await RestartAfterAsync(prober, TimeSpan.FromHours(30));
        string[] expected = ["secure, the old hosts", "secure, the old hosts", "secure, the old hosts", "secure, the old hosts", "secure, the new hosts", "secure, the new hosts", "not found", "not found"];
        foreach (var (domain, change, answer) in domains.Zip(changes, expected))
        {
            // Until then it is that of before, which several are to have in the end, too.
            await AwaitRenewedAsync(prober, domain, restart);
            await Until.TrueAsync(
                $"policyd's answer for {domain}, {change.Words}, is: {answer}", async () => Hosts(await prober.AnswerAsync(domain)) == answer,
                () => prober.Tell(null));
            await table.AddAsync("8", change.Words, Enforce, async () => Hosts(await peer.AnswerAsync(domain)), answer);
        }

        // By a clock that is not ours to set.
        await Until.TrueAsync("a max_age of a second is over", () => Task.FromResult(lapsing.Elapsed > TimeSpan.FromSeconds(2)));
        var late = Hosts(await peer.AnswerAsync(Lapsed));
        await RestartAfterAsync(prober, TimeSpan.FromMinutes(6));
        await prober.Policyd.ServesAsync(Lapsed, "NOTFOUND ");
        table.Add("8", "then the policy host is gone for longer than max_age, the id stays", Enforce, late, "not found");
    }

    private static string Hosts(string answer) => PeerTable.Word(answer) is var word && word != "secure"
        ? word
        : $"secure, the {(answer.Contains("match=mx1.", StringComparison.Ordinal) ? "old" : "new")} hosts";
}
