using PolicyDaemon.EndToEnd.Lab;
using PolicyDaemon.EndToEnd.Stories.Discovery;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Destinations without an entry: what they publish by DANE and MTA-STS, and what a real Postfix makes of our answer.</summary>
public abstract class DiscoveryStories(Laboratory lab) : DiscoveringStories(lab)
{
    [Fact]
    public async Task A_signed_domain_is_delivered_by_its_TLSA_records_alone_from_the_first_mail_on()
    {
        var prober = await StartAsync();
        var destination = await DaneAsync("first.signed.test", out var certificate);
        await Servers[0].PresentAsync(certificate);

        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        Assert.Equal("OK dane-only", await prober.AnswerAsync(destination.Domain));

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(destination.MxHosts[0]));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
    }

    [Fact]
    public async Task A_domain_that_publishes_nothing_gets_what_main_cf_says()
    {
        var prober = await StartAsync();
        var destination = await Destination.CreateAsync(Lab, "nothing.plain.test", Servers[0]);
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned("anyone.test"));

        (await Sender.DeliverAsync(destination.User)).AssertSent("Untrusted");
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync(destination.Domain));
        // Verdicts that protect nothing are written together, a moment later.
        await Until.TrueAsync(
            "it is explained", async () => (await prober.Policyd.CtlAsync("explain", destination.Domain)).Output.Contains("(row 8)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_enforce_policy_holds_against_forged_MX_records()
    {
        var prober = await StartAsync();
        var destination = await Destination.CreateAsync(Lab, "sts.plain.test", Servers[0]);
        Announce(destination.Domain, ServedPolicy.Of("enforce", destination.MxHosts));
        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(Lab.Certificates.Issued(destination.MxHosts[0]));

        await prober.Policyd.ServesAsync(destination.Domain, $"OK secure match={destination.MxHosts[0]} servername=hostname");
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        // Somebody on the way answers with another host, for which even the authority vouches.
        Lab.Dns.Set(destination.Domain, "MX", "10 mx.elsewhere.plain.test.").Set("mx.elsewhere.plain.test", "A", $"{Servers[1].IPv4}");
        await Lab.Dns.PublishAsync();
        await Servers[1].PresentAsync(Lab.Certificates.Issued("mx.elsewhere.plain.test"));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");

        // His own host takes mail in plain text, too. That is where it goes by an answer that is no more than dane.
        await Servers[1].WithoutStartTlsAsync();
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.4", "TLS is required, but was not offered");
        await Sender.UsePolicyMapsAsync("static:dane");
        (await Sender.DeliverAsync(destination.User)).AssertSent(null);

        await prober.Policyd.CtlAsync("discovery", "refresh", destination.Domain);
        await prober.AwaitFindingAsync("policy-covers-none", destination.Domain);
    }

    [Fact]
    public async Task What_protects_mail_survives_a_kill_and_is_served_while_no_resolver_answers()
    {
        var prober = await StartAsync();
        var policyd = prober.Policyd;
        var sts = await Destination.CreateAsync(Lab, "kept.plain.test", Servers[0]);
        Announce(sts.Domain, ServedPolicy.Of("enforce", sts.MxHosts));
        await Lab.Dns.PublishAsync();
        var dane = await DaneAsync("kept.signed.test", out _);
        await policyd.ServesAsync(sts.Domain, "OK secure match=");
        // A policy is in the store before it is answered.
        await policyd.KillAsync();
        await policyd.StartAsync();
        await policyd.ServesAsync(dane.Domain, "OK dane-only");
        await Until.TrueAsync("the verdict is stored", async () => (await policyd.CtlAsync("discovery", "show", dane.Domain)).Output.Contains("dane-only", StringComparison.Ordinal));

        await Lab.Dns.StopResolverAsync();
        try
        {
            await policyd.KillAsync();
            await policyd.StartAsync();
            Assert.StartsWith("OK secure match=", await prober.AnswerAsync(sts.Domain), StringComparison.Ordinal);
            Assert.Equal("OK dane-only", await prober.AnswerAsync(dane.Domain));
            // Where nothing is known Postfix looks itself.
            Assert.Equal("OK dane", await prober.AnswerAsync("never.signed.test"));
        }
        finally
        {
            await Lab.Dns.StartResolverAsync();
        }
    }

    [Fact]
    public async Task An_entry_for_the_parents_subdomains_comes_before_what_a_child_publishes()
    {
        var prober = await StartAsync();
        var child = await DaneAsync("child.parent.signed.test", out _);
        await prober.Policyd.ServesAsync(child.Domain, "OK dane-only");

        await prober.Policyd.DoAsync("domain", "add", ".parent.signed.test", "--level", "secure", "--match", "mx.elsewhere.test");
        await prober.Policyd.ServesAsync(child.Domain, "NOTFOUND ");

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(child.MxHosts[0]));
        (await Sender.DeliverAsync(child.User)).AssertDeferred("4.7.5", "Server certificate not verified");
    }
}

[Collection(typeof(HostPostfix))]
public sealed class DiscoveryWithTheHostsPostfix(HostPostfixLaboratory lab) : DiscoveryStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class DiscoveryWithTheNewerPostfix(NewerPostfixLaboratory lab) : DiscoveryStories(lab);
