using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>Policy hosts that fail, lie and change: no policy is made up, none is lost before its time, and what changes is seen.</summary>
[Collection(typeof(Probing))]
public sealed class PolicyHostStories(ProbingLaboratory lab) : DiscoveringStories(lab)
{
    private const string Secure = "OK secure match=";

    [Fact]
    public async Task Whatever_a_policy_host_does_no_policy_is_made_up_and_none_is_lost_before_it_expires()
    {
        var slow = new TaskCompletionSource();
        // What it does, and what is said of it.
        var faults = new Dictionary<string, (Func<ServedPolicy, ServedPolicy>? Does, string Said)>
        {
            ["down"] = (null, "refused"),
            ["missing"] = (policy => policy with { Status = "404 Not Found" }, "status 404"),
            ["redirecting"] = (policy => policy with { Status = "302 Found", Location = "https://www.plain.test/mta-sts.txt" }, "redirects are not followed"),
            ["html"] = (policy => policy with { ContentType = "text/html" }, "not as text/plain"),
            ["huge"] = (policy => new(policy.Text + string.Concat(Enumerable.Repeat("filler: filler\n", 5000))), "longer than 64 KiB"),
            ["named"] = (policy => policy with { CertificateName = "www.plain.test" }, "for other names"),
            ["broken"] = (policy => new(policy.Text.Replace("mode: enforce", "mode: enforced", StringComparison.Ordinal)), "sts-policy-invalid"),
            ["slow"] = (policy => policy with { Held = slow.Task }, ""),
        };
        var prober = await StartAsync();
        string[] domains = [.. faults.Keys.Select(fault => $"{fault}.host.plain.test")];
        ServedPolicy Good(string domain) => ServedPolicy.Of("enforce", "mx1." + domain);
        void Fail(string domain, string fault)
        {
            if (faults[fault].Does is { } does) Policies.Serve(domain, does(Good(domain)));
            else Lab.Dns.Set($"mta-sts.{domain}", "A", Nobody);
        }

        foreach (var (domain, fault) in domains.Zip(faults.Keys))
        {
            Mail(domain);
            Announce(domain, Good(domain));
            Fail(domain, fault);
        }

        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned("somebody.test"));

        // At first sight nothing is known of a policy, and mail goes out. A slow host keeps nobody waiting: it has not answered yet, and of a
        // fetch that had failed for it there would be a verdict.
        Assert.Equal("OK dane", await prober.AnswerAsync("slow.host.plain.test"));
        foreach (var domain in domains[..^1]) await prober.Policyd.ServesAsync(domain, "NOTFOUND ");
        foreach (var attempt in (await Sender.DeliverAllAsync([.. domains.Select(domain => "user@" + domain)])).Values) attempt.AssertSent("Untrusted");
        foreach (var (domain, fault) in domains.Zip(faults.Keys).SkipLast(1)) await AwaitShownAsync(prober, domain, faults[fault].Said);
        await AwaitTimedOutAsync(prober);
        slow.SetResult();
        await prober.Policyd.ServesAsync(domains[^1], Secure);

        // They are repaired, and have policies that are kept to, whatever becomes of the host, the record and its id.
        foreach (var domain in domains) Announce(domain, Good(domain));
        await Lab.Dns.PublishAsync();
        await prober.Policyd.DoAsync(["discovery", "refresh", .. domains]);
        foreach (var domain in domains) await prober.Policyd.ServesAsync(domain, Secure);
        foreach (var (domain, fault) in domains.Zip(faults.Keys).SkipLast(1))
        {
            Announce(domain, Good(domain), id: "2");
            Fail(domain, fault);
        }

        Lab.Dns.Set("_mta-sts." + domains[^1], "TXT");
        await Lab.Dns.PublishAsync();
        await RestartAfterAsync(prober, TimeSpan.FromHours(30));
        foreach (var domain in domains[..^1]) await AwaitShownAsync(prober, domain, "cannot be renewed");
        await AwaitShownAsync(prober, domains[^1], "does not announce its MTA-STS policy any more");
        foreach (var domain in domains) Assert.StartsWith(Secure, await prober.AnswerAsync(domain), StringComparison.Ordinal);
        foreach (var attempt in (await Sender.DeliverAllAsync([.. domains.Select(domain => "user@" + domain)])).Values) attempt.AssertDeferred("4.7.5", "Server certificate not");

        // After a week they have expired.
        await RestartAfterAsync(prober, TimeSpan.FromDays(6));
        foreach (var domain in domains) await prober.Policyd.ServesAsync(domain, "NOTFOUND ");
        await prober.AwaitFindingAsync("policy-lapsed", domains[0]);
        foreach (var attempt in (await Sender.DeliverAllAsync([.. domains.Select(domain => "user@" + domain)])).Values) attempt.AssertSent("Untrusted");
    }

    [Fact]
    public async Task What_changes_is_seen_in_its_time()
    {
        const string NewId = "id.changing.plain.test", Silent = "silent.changing.plain.test", Withdrawn = "withdrawn.changing.plain.test",
            Given = "given.changing.plain.test", Moved = "moved.changing.plain.test", Gone = "gone.changing.plain.test";
        string[] domains = [NewId, Silent, Withdrawn, Given, Moved, Gone];
        var prober = await StartAsync();
        foreach (var domain in domains)
        {
            Mail(domain);
            Lab.Dns.Set("mx2." + domain, "A", $"{Servers[1].IPv4}");
            Announce(domain, ServedPolicy.Of("enforce", "mx1." + domain));
        }

        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(Lab.Certificates.IssuedForMany(domains.Select(domain => "mx1." + domain)));
        await Servers[1].PresentAsync(Lab.Certificates.IssuedForMany(domains.Select(domain => "mx2." + domain)));
        foreach (var domain in domains) await prober.Policyd.ServesAsync(domain, $"OK secure match=mx1.{domain} servername=hostname");

        // Mail moves to another host, and the id stays: people forget it. Mail waits for no more than five minutes.
        Lab.Dns.Set(Moved, "MX", $"10 mx2.{Moved}.");
        Policies.Serve(Moved, ServedPolicy.Of("enforce", "mx2." + Moved));
        await Lab.Dns.PublishAsync();
        var waiting = await Sender.SendAsync("user@" + Moved);
        (await Sender.OutcomeAsync(waiting)).AssertDeferred("4.7.5", "Server certificate not verified");
        await RestartAfterAsync(prober, TimeSpan.FromMinutes(6));
        await prober.Policyd.ServesAsync(Moved, $"OK secure match=mx2.{Moved} servername=hostname");
        (await Sender.RetryAsync(waiting)).AssertSent("Verified");

        // A new id is seen within an hour; who has none waits for the day.
        foreach (var domain in new[] { NewId, Silent }) Policies.Serve(domain, ServedPolicy.Of("enforce", "mx1." + domain, "mx2." + domain));
        foreach (var domain in new[] { Withdrawn, Given }) Policies.Serve(domain, ServedPolicy.Of("none"));
        Policies.Serve(Gone, new ServedPolicy("") { Status = "404 Not Found" });
        foreach (var domain in new[] { NewId, Withdrawn }) Lab.Dns.Set("_mta-sts." + domain, "TXT", "\"v=STSv1; id=2;\"");
        Lab.Dns.Set("_mta-sts." + Gone, "TXT");
        await Lab.Dns.PublishAsync();
        await RestartAfterAsync(prober, TimeSpan.FromMinutes(61));
        await prober.Policyd.ServesAsync(NewId, $"OK secure match=mx1.{NewId}:mx2.{NewId} servername=hostname");
        await prober.Policyd.ServesAsync(Withdrawn, "NOTFOUND ");
        await AwaitShownAsync(prober, Gone, "cannot be renewed");
        foreach (var domain in new[] { Silent, Given, Gone }) Assert.Equal($"OK secure match=mx1.{domain} servername=hostname", await prober.AnswerAsync(domain));

        await RestartAfterAsync(prober, TimeSpan.FromHours(30));
        await prober.Policyd.ServesAsync(Silent, $"OK secure match=mx1.{Silent}:mx2.{Silent} servername=hostname");
        await AwaitShownAsync(prober, Silent, "changed its MTA-STS policy and not the id");
        await prober.Policyd.ServesAsync(Given, "NOTFOUND ");
        Assert.Equal($"OK secure match=mx1.{Gone} servername=hostname", await prober.AnswerAsync(Gone));

        // Who has withdrawn its policy gets mail again whatever its servers present.
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned("somebody.test"));
        var attempts = await Sender.DeliverAllAsync([.. domains.Where(domain => domain != Moved).Select(domain => "user@" + domain)]);
        foreach (var domain in new[] { Withdrawn, Given }) attempts["user@" + domain].AssertSent("Untrusted");
        foreach (var domain in new[] { NewId, Silent, Gone }) attempts["user@" + domain].AssertDeferred("4.7.5", "Server certificate not");
    }

    [Fact]
    public async Task A_kill_loses_no_policy_and_what_was_not_known_yet_is_found_out_again()
    {
        string[] domains = [.. Enumerable.Range(1, 12).Select(number => $"d{number}.killed.plain.test")];
        foreach (var domain in domains)
        {
            Mail(domain);
            Announce(domain, ServedPolicy.Of("enforce", "mx1." + domain));
        }

        await Lab.Dns.PublishAsync();
        var prober = await StartAsync();
        // In the midst of first sights: those that were answered are kept, one at least, the others nobody has relied on.
        await prober.Policyd.ServesAsync(domains[0], Secure);
        var asked = domains.Skip(1).Select(domain => prober.AnswerAsync(domain)).ToList();
        await Task.WhenAny(asked);
        await prober.Policyd.KillAsync();
        var answered = domains.Skip(1).Zip(await Task.WhenAll(asked)).Where(pair => pair.Second.StartsWith(Secure, StringComparison.Ordinal)).Select(pair => pair.First);
        Lab.Dns.Set("mta-sts." + domains[0], "A", Nobody);
        await Lab.Dns.PublishAsync();
        await prober.Policyd.StartAsync();
        foreach (var domain in answered.Prepend(domains[0])) Assert.StartsWith(Secure, await prober.AnswerAsync(domain), StringComparison.Ordinal);
        foreach (var domain in domains) await prober.Policyd.ServesAsync(domain, Secure);

        // Nobody waits after a restart, even where nothing can be asked.
        await Lab.Dns.StopResolverAsync();
        try
        {
            await prober.Policyd.StopAsync();
            await prober.Policyd.StartAsync();
            foreach (var domain in domains) Assert.StartsWith(Secure, await prober.AnswerAsync(domain), StringComparison.Ordinal);
        }
        finally
        {
            await Lab.Dns.StartResolverAsync();
        }
    }
}
