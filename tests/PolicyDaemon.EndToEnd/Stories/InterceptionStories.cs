using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Somebody between us and a server, or between us and DNS: no pin moves, and a person is told.</summary>
[Collection(typeof(Probing))]
public sealed class InterceptionStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task A_man_in_the_middle_on_one_of_two_addresses_degrades_and_on_both_is_a_mismatch_and_the_answer_never_changes()
    {
        const string Domain = "middle.signed.test";
        var real = Lab.Certificates.Issued("mx1." + Domain);
        var (here, there) = (real, real);
        var first = await ServerAsync(Scripts.Good(() => here));
        var second = await ServerAsync(Scripts.Good(() => there));
        Mail(Domain, first, second);
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync(Lab.Probing().With("hold_down", "1s").With("hold_down_probes", "2"));
        await prober.PinAsync(Domain, [real.PublicKeyFingerprint], "--mode", "auto");
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");

        // The strongest that he can be: a CA has given him a certificate for the name, and the mode believes in CAs.
        there = Lab.Certificates.Issued("mx1." + Domain);
        await prober.AwaitVerdictAsync(Domain, "degraded");
        var finding = $"{await prober.AwaitFindingAsync("new-key", Domain)}";
        Assert.Contains(there.PublicKeyFingerprint, finding, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"{second.Address}", finding, StringComparison.Ordinal);
        await Prober.AwaitProbesAsync(second, 6);
        Assert.Equal("candidate", await prober.StateAsync(Domain, there.PublicKeyFingerprint));
        await prober.AssertAnswerAsync(Domain, real.PublicKeyFingerprint);

        // On both, and without a CA's help.
        here = there = Lab.Certificates.SelfSigned("mx1." + Domain);
        await prober.AwaitVerdictAsync(Domain, "mismatch");
        await Prober.AwaitProbesAsync(first, 6);
        Assert.Equal("candidate", await prober.StateAsync(Domain, here.PublicKeyFingerprint));
        await prober.AssertAnswerAsync(Domain, real.PublicKeyFingerprint);

        here = there = real;
        await prober.AwaitVerdictAsync(Domain, "ok");
        await prober.AwaitNoFindingAsync("new-key", Domain);
        await prober.AssertAnswerAsync(Domain, real.PublicKeyFingerprint);
    }

    [Fact]
    public async Task Whatever_is_wrong_with_the_resolver_nothing_changes_but_the_findings()
    {
        const string Domain = "resolving.signed.test";
        var certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        var server = await ServerAsync(Scripts.Good(() => certificate));
        var host = Mail(Domain, server);
        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        await using var resolver = new MoodyResolver(Lab.Sandbox, IPAddress.Parse("127.0.0.61"));
        var prober = await ProberAsync(Lab.Probing().Asking(resolver.Address).With("dns_timeout", "1s"));
        var pin = certificate.PublicKeyFingerprint;
        await prober.PinAsync(Domain, [pin], "--mode", "auto");
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");

        foreach (var (mood, finding) in new[]
            { (ResolverMood.Gone, "dns-trouble"), (ResolverMood.Bogus, "dns-trouble"), (ResolverMood.NotValidating, "dnssec-lost") })
        {
            resolver.Turn(mood);
            await prober.AwaitFindingAsync(finding);
            var asked = resolver.Asked;
            await Until.TrueAsync($"the prober has gone on asking a resolver that is {mood}", () => Task.FromResult(resolver.Asked > asked + 3));
            await prober.AssertAnswerAsync(Domain, pin);
            Assert.Equal("active", await prober.StateAsync(Domain, pin));

            resolver.Turn(ResolverMood.Validating);
            await prober.AwaitNoFindingAsync(finding);
            await prober.AwaitVerdictAsync(Domain, "ok");
        }

        await prober.AssertAnswerAsync(Domain, pin);
    }

    [Theory]
    [InlineData(ResolverMood.Forging)]
    [InlineData(ResolverMood.NotValidating)]
    public async Task A_resolver_that_fails_its_self_test_promotes_nothing(ResolverMood mood)
    {
        var domain = $"{mood.ToString().ToLowerInvariant()}.plain.test";
        var old = Lab.Certificates.SelfSigned("mx1." + domain);
        var certificate = old;
        var server = await ServerAsync(Scripts.Good(() => certificate));
        var host = Mail(domain, server);
        // In a zone without signatures anybody on the way could have written this.
        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {old.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        await using var resolver = new MoodyResolver(Lab.Sandbox, IPAddress.Parse("127.0.0.62"), mood);
        var prober = await ProberAsync(Lab.Probing().Asking(resolver.Address).With("evidence_wait", "1s").With("hold_down", "1s"));
        await prober.PinAsync(domain, [old.PublicKeyFingerprint], "--mode", "auto");
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(domain, "ok");
        await prober.AwaitFindingAsync("resolver-not-validating");

        certificate = Lab.Certificates.SelfSigned("mx1." + domain);
        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        await prober.AwaitStateAsync(domain, certificate.PublicKeyFingerprint, "candidate");
        await Prober.AwaitProbesAsync(server, 5);
        Assert.Equal("candidate", await prober.StateAsync(domain, certificate.PublicKeyFingerprint));
        await prober.AssertAnswerAsync(domain, old.PublicKeyFingerprint);
    }
}
