using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>Entries over and under discovery: the entry *, the levels default and discovered, and advice about an entry that stands against what is published.</summary>
public abstract class EntryStories(Laboratory lab) : DiscoveringStories(lab)
{
    private const string Enforce = "enforce";
    private const string InPlainText = "TLS is required, but was not offered";
    private const string NotVerified = "Server certificate not";
    private const string TableFailed = "client TLS configuration problem";

    [Fact]
    public async Task The_entry_for_everybody_else_is_the_least_and_the_stricter_of_both_is_served()
    {
        var prober = await StartAsync();
        var (policyd, everybody) = (prober.Policyd, new List<Destination>());
        foreach (var name in new[] { "nothing", "plaintext", "sts", "half", "own", "child.below" })
            everybody.Add(await Destination.CreateAsync(Lab, $"{name}.star.plain.test", Servers[name == "plaintext" ? 1 : 0]));
        var (nothing, plaintext, sts, half, own, child) = (everybody[0], everybody[1], everybody[2], everybody[3], everybody[4], everybody[5]);
        Announce(sts.Domain, ServedPolicy.Of(Enforce, sts.MxHosts));
        var dane = await DaneAsync("dane.star.signed.test", out var certificate);
        // Unsigned MX records before a host with TLSA records: discovered is dane, which may end in plain text.
        Lab.Dns.Set(half.Domain, "MX", $"10 {dane.MxHosts[0]}.");
        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(Lab.Certificates.IssuedForMany([.. sts.MxHosts, .. dane.MxHosts], certificate.Key));
        await Servers[1].WithoutStartTlsAsync();
        await policyd.ServesAsync(half.Domain, "OK dane");
        (await Sender.DeliverAsync(plaintext.User)).AssertSent(null);

        await policyd.DoAsync("domain", "add", "*", "--level", "encrypt", "--reason", "nobody in plain text any more");
        await policyd.DoAsync("domain", "add", own.Domain, "--level", "may", "--reason", "agreed with them");
        await policyd.DoAsync("domain", "add", ".below.star.plain.test", "--level", "secure", "--match", "mx.elsewhere.test");
        var answers = new Dictionary<string, string>
        {
            [nothing.Domain] = "OK encrypt",
            [plaintext.Domain] = "OK encrypt",
            [half.Domain] = "OK encrypt",
            [sts.Domain] = $"OK secure match={sts.MxHosts[0]} servername=hostname",
            [dane.Domain] = "OK dane-only",
            [own.Domain] = "OK may",
            // The entry of the parent's subdomains is Postfix's next question.
            [child.Domain] = "NOTFOUND ",
            // Not a bare domain.
            [$"[{nothing.MxHosts[0]}]"] = "NOTFOUND ",
        };
        foreach (var (key, answer) in answers) await policyd.ServesAsync(key, answer);
        Assert.Contains("the entry *, for every domain that nothing stricter answers for", await ShownAsync(policyd, "explain", nothing.Domain), StringComparison.Ordinal);

        var attempts = await Sender.DeliverAllAsync([.. everybody.Append(dane).Select(one => one.User)]);
        attempts[plaintext.User].AssertDeferred("4.7.4", InPlainText);
        attempts[child.User].AssertDeferred("4.7.5", NotVerified);
        foreach (var one in new[] { sts, dane }) attempts[one.User].AssertSent("Verified");
        foreach (var one in new[] { nothing, half, own }) attempts[one.User].AssertSent("Trusted");

        await policyd.DoAsync("domain", "remove", "*", "--reason", "too early");
        await policyd.ServesAsync(plaintext.Domain, "NOTFOUND ");
        (await Sender.DeliverAsync(plaintext.User)).AssertSent(null);
        await policyd.ServesAsync(half.Domain, "OK dane");
    }

    [Fact]
    public async Task Mail_waits_while_a_destination_publishes_less_than_the_floor_of_its_entry()
    {
        var prober = await StartAsync();
        var policyd = prober.Policyd;
        var met = await DaneAsync("met.floor.signed.test", out var certificate);
        var unmet = await Destination.CreateAsync(Lab, "unmet.floor.plain.test", Servers[0]);
        await Servers[0].PresentAsync(Lab.Certificates.IssuedForMany([.. met.MxHosts, .. unmet.MxHosts], certificate.Key));
        await policyd.DoAsync("domain", "add", met.Domain, "--level", "discovered", "--floor", "dane-only");
        await policyd.DoAsync("domain", "add", unmet.Domain, "--level", "discovered", "--floor", "secure", "--wait", "30");

        await policyd.ServesAsync(met.Domain, "OK dane-only");
        (await Sender.DeliverAsync(met.User)).AssertSent("Verified");
        var waiting = await Sender.SendAsync(unmet.User);
        (await Sender.OutcomeAsync(waiting)).AssertDeferred("4.7.5", TableFailed);
        var finding = await prober.AwaitFindingAsync("floor-not-met", unmet.Domain);
        Assert.Equal("mail-waits", finding.GetProperty("severity").GetString());
        Assert.Empty(await prober.FindingsAsync("floor-not-met", met.Domain));

        // Both say that it waits, and why.
        var explained = await ShownAsync(policyd, "explain", unmet.Domain);
        Assert.Contains("its entry says discovered, and at least secure: ", explained, StringComparison.Ordinal);
        Assert.Contains("(row 8)", explained, StringComparison.Ordinal);
        Assert.Contains("deferred (4.7.5) and tried again, never sent in the clear", explained, StringComparison.Ordinal);
        Assert.Contains(
            "deferred (4.7.5) and tried again until it is returned: policyd answers a temporary error; the entry takes no less than secure (--floor), and discovery finds not-found",
            await ShownAsync(policyd, "check", unmet.Domain), StringComparison.Ordinal);
        Assert.DoesNotContain("temporary error", await ShownAsync(policyd, "check", met.Domain), StringComparison.Ordinal);

        // Now it publishes a policy, and later withdraws it.
        Announce(unmet.Domain, ServedPolicy.Of(Enforce, unmet.MxHosts));
        await Lab.Dns.PublishAsync();
        await policyd.DoAsync("discovery", "refresh", unmet.Domain);
        await policyd.ServesAsync(unmet.Domain, $"OK secure match={unmet.MxHosts[0]} servername=hostname");
        (await Sender.RetryAsync(waiting)).AssertSent("Verified");
        await prober.AwaitNoFindingAsync("floor-not-met", unmet.Domain);
        Announce(unmet.Domain, ServedPolicy.Of("none"), id: "2");
        await Lab.Dns.PublishAsync();
        await policyd.DoAsync("discovery", "refresh", unmet.Domain);
        await policyd.ServesAsync(unmet.Domain, "TEMP ");
        (await Sender.DeliverAsync(unmet.User)).AssertDeferred("4.7.5", TableFailed);
        await prober.AwaitFindingAsync("floor-not-met", unmet.Domain);
    }

    [Fact]
    public async Task An_exemption_lets_mail_go_to_a_domain_whose_policy_is_broken()
    {
        var prober = await StartAsync();
        var policyd = prober.Policyd;
        var destination = await Destination.CreateAsync(Lab, "exempt.plain.test", Servers[0]);
        Announce(destination.Domain, ServedPolicy.Of(Enforce, "mx.elsewhere.plain.test"));
        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(Lab.Certificates.Issued(destination.MxHosts[0]));
        await policyd.ServesAsync(destination.Domain, "OK secure match=mx.elsewhere.plain.test servername=hostname");
        var waiting = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(waiting)).AssertDeferred("4.7.5", NotVerified);
        await prober.AwaitFindingAsync("policy-covers-none", destination.Domain);

        await policyd.DoAsync("domain", "add", destination.Domain, "--level", "default", "--until", "7d", "--reason", "their postmaster knows");
        await policyd.ServesAsync(destination.Domain, "NOTFOUND ");
        (await Sender.RetryAsync(waiting)).AssertSent("Trusted");
        await prober.AwaitNoFindingAsync("policy-covers-none", destination.Domain);

        await policyd.DoAsync("domain", "remove", destination.Domain, "--reason", "try again");
        await policyd.ServesAsync(destination.Domain, "OK secure match=mx.elsewhere.plain.test servername=hostname");
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", NotVerified);
    }

    [Fact]
    public async Task A_pin_beside_TLSA_records_is_advice_that_nobody_need_follow_and_whoever_does_gets_mail_out()
    {
        var prober = await StartAsync();
        var policyd = prober.Policyd;
        var destination = await DaneAsync("advised.signed.test", out var certificate);
        await Servers[0].PresentAsync(certificate);
        await prober.PinAsync(destination.Domain, [certificate.PublicKeyFingerprint]);
        await prober.AwaitVerdictAsync(destination.Domain, "ok");
        var advice = await prober.AwaitFindingAsync("pin-beside-dane", destination.Domain);
        Assert.Equal("for-information", advice.GetProperty("severity").GetString());
        Assert.StartsWith("POLICYDAEMON OK", (await policyd.CtlAsync("status", "--check")).Output, StringComparison.Ordinal);
        var remedy = advice.GetProperty("remedy").GetString()!;
        foreach (var words in new string[][] { ["explain", destination.Domain], ["domain", "show", destination.Domain] })
            Assert.Contains(remedy, await ShownAsync(policyd, words), StringComparison.Ordinal);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        await policyd.DoAsync(remedy.Split(' ')[1..]);
        await policyd.ServesAsync(destination.Domain, "OK dane-only");
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        await prober.AwaitNoFindingAsync("pin-beside-dane", destination.Domain);
    }

    /// <summary>What a person is shown, on one line.</summary>
    private static async Task<string> ShownAsync(Policyd policyd, params string[] words) =>
        string.Join(' ', (await policyd.CtlAsync([.. words, "--format", "table"])).Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}

[Collection(typeof(HostPostfix))]
public sealed class EntriesWithTheHostsPostfix(HostPostfixLaboratory lab) : EntryStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class EntriesWithTheNewerPostfix(NewerPostfixLaboratory lab) : EntryStories(lab);
