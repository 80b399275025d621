using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>Our own resolver is slow, gone, or does not validate any more, while Postfix's works: nothing that is known gets weaker.</summary>
[Collection(typeof(Probing))]
public sealed class ResolverTroubleStories(ProbingLaboratory lab) : DiscoveringStories(lab)
{
    [Fact]
    public async Task A_slow_resolver_delays_the_first_answer_by_a_bounded_time_and_the_next_one_is_right()
    {
        var destination = await DaneAsync("first.slow.signed.test", out _);
        await using var resolver = new MoodyResolver(Lab.Sandbox, IPAddress.Parse("127.0.0.63"));
        var prober = await StartAsync(Lab.Probing().Asking(resolver.Address).With("dns_timeout", "8s"));
        await prober.Policyd.ServesAsync((await DaneAsync("warm.slow.signed.test", out _)).Domain, "OK dane-only");

        // The lookup is answered although the resolver has answered nothing; had its questions failed, there would be a verdict.
        var slow = new TaskCompletionSource();
        resolver.Held = slow.Task;
        Assert.Equal("OK dane", await prober.AnswerAsync(destination.Domain));
        slow.SetResult();
        await prober.Policyd.ServesAsync(destination.Domain, "OK dane-only");
        await AwaitTimedOutAsync(prober);
    }

    [Fact]
    public async Task Whatever_becomes_of_the_resolver_what_is_known_holds_and_Postfix_looks_itself_where_nothing_is()
    {
        await using var resolver = new MoodyResolver(Lab.Sandbox, IPAddress.Parse("127.0.0.64"));
        var dane = await DaneAsync("known.trouble.signed.test", out var certificate);
        var sts = await Destination.CreateAsync(Lab, "sts.trouble.plain.test", Servers[1]);
        Announce(sts.Domain, ServedPolicy.Of("enforce", sts.MxHosts));
        foreach (var name in new[] { "new1", "new2" })
        {
            Mail($"{name}.trouble.signed.test");
            Lab.Dns.Set($"_25._tcp.mx1.{name}.trouble.signed.test", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        }

        await Lab.Dns.PublishAsync();
        await Servers[0].PresentAsync(certificate);
        await Servers[1].PresentAsync(Lab.Certificates.SelfSigned("somebody.test"));
        var prober = await StartAsync(Lab.Probing().Asking(resolver.Address));
        await prober.Policyd.ServesAsync(dane.Domain, "OK dane-only");
        await prober.Policyd.ServesAsync(sts.Domain, "OK secure match=");
        string[] known = [dane.Domain, sts.Domain];

        // Down: what is known is served beyond its time, and of what is not Postfix finds out itself.
        resolver.Turn(ResolverMood.Gone);
        await RestartAfterAsync(prober, TimeSpan.FromHours(2));
        Assert.Equal("OK dane", await prober.AnswerAsync("new1.trouble.signed.test"));
        (await Sender.DeliverAsync("user@new1.trouble.signed.test")).AssertSent("Verified");
        foreach (var domain in known) await AwaitShownAsync(prober, domain, "(row 9)");
        await AssertHoldsAsync(prober, dane, sts);

        // Back: failures are tried again after half a minute.
        resolver.Turn(ResolverMood.Validating);
        await RestartAfterAsync(prober, TimeSpan.FromMinutes(6));
        await prober.Policyd.ServesAsync("new1.trouble.signed.test", "OK dane-only");
        await AwaitShownAsync(prober, dane.Domain, "why\tevery MX host has usable TLSA records (row 1)");

        // It stops to validate between two self-tests: answers are insecure of a sudden, and nobody vouches for that.
        resolver.Turn(ResolverMood.NotValidating);
        await AgeAsync(prober, TimeSpan.FromHours(2));
        await AwaitShownAsync(prober, dane.Domain, "(row resolver)");
        await AssertHoldsAsync(prober, dane, sts);
        Assert.Equal("OK dane", await prober.AnswerAsync("new2.trouble.signed.test"));
        await RestartAfterAsync(prober, TimeSpan.FromHours(25));
        await prober.Policyd.ServesAsync(dane.Domain, "OK dane");
        Assert.StartsWith("OK secure match=", await prober.AnswerAsync(sts.Domain), StringComparison.Ordinal);
    }

    private async Task AssertHoldsAsync(Prober prober, Destination dane, Destination sts)
    {
        Assert.Equal("OK dane-only", await prober.AnswerAsync(dane.Domain));
        Assert.StartsWith("OK secure match=", await prober.AnswerAsync(sts.Domain), StringComparison.Ordinal);
        (await Sender.DeliverAsync(dane.User)).AssertSent("Verified");
        (await Sender.DeliverAsync(sts.User)).AssertDeferred("4.7.5", "Server certificate not");
    }
}
