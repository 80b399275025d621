using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What a person has decided, and what is known already, stands: through further probes and through a restart.</summary>
[Collection(typeof(Probing))]
public sealed class DecisionStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task A_rejected_key_is_never_served_though_dns_confirms_it_and_seeing_it_again_is_an_alarm()
    {
        const string Domain = "rejects.signed.test";
        var real = Lab.Certificates.SelfSigned("mx1." + Domain);
        var certificate = real;
        var server = await ServerAsync(Scripts.Good(() => certificate));
        var host = Mail(Domain, server);
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.PinAsync(Domain, [real.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");

        var stolen = certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        await prober.AwaitStateAsync(Domain, stolen.PublicKeyFingerprint, "candidate");
        await prober.Policyd.DoAsync("pin", "reject", Domain, stolen.PublicKeyFingerprint, "--reason", "nobody there knows of it");
        await prober.AwaitFindingAsync("rejected-key-seen", Domain);

        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {stolen.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        await Prober.AwaitProbesAsync(server, 5);
        Assert.Equal("rejected", await prober.StateAsync(Domain, stolen.PublicKeyFingerprint));
        await prober.AssertAnswerAsync(Domain, real.PublicKeyFingerprint);

        Lab.Dns.Set($"_25._tcp.{host}", "TLSA");
        await Lab.Dns.PublishAsync();
        certificate = real;
        await prober.AwaitNoFindingAsync("rejected-key-seen", Domain);
        await prober.AwaitVerdictAsync(Domain, "ok");
    }

    [Fact]
    public async Task A_restart_remembers_everything_and_probes_nobody_again()
    {
        string[] domains = ["before.plain.test", "waiting.plain.test", "after.plain.test"];
        var certificates = domains.ToDictionary(domain => domain, domain => Lab.Certificates.SelfSigned("mx1." + domain));
        var servers = new Dictionary<string, ScriptedServer>();
        foreach (var domain in domains)
        {
            servers[domain] = await ServerAsync(Scripts.Good(() => certificates[domain]));
            Mail(domain, servers[domain]);
        }

        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync(
            // A candidate is probed in each quarter of the hold-down.
            Lab.Probing().With("interval", "1h").With("renewal_interval", "1h").With("candidate_interval", "1h").With("hold_down", "24h").With("lookup_staleness", "1h"));
        await prober.PinAsync("before.plain.test", [certificates["before.plain.test"].PublicKeyFingerprint]);
        // Another key than the server's: a candidate waits.
        await prober.PinAsync("waiting.plain.test", [certificates["before.plain.test"].PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync("before.plain.test", "ok");
        await prober.AwaitVerdictAsync("waiting.plain.test", "mismatch");
        var connections = domains.ToDictionary(domain => domain, domain => servers[domain].Connections);

        Assert.Equal(0, await prober.Policyd.StopAsync());
        await prober.Policyd.StartAsync();
        // Whatever were due at the start would be probed before what is added now.
        await prober.PinAsync("after.plain.test", [certificates["after.plain.test"].PublicKeyFingerprint]);
        await prober.AwaitVerdictAsync("after.plain.test", "ok");
        Assert.Equal(connections["before.plain.test"], servers["before.plain.test"].Connections);
        Assert.Equal(connections["waiting.plain.test"], servers["waiting.plain.test"].Connections);
        await prober.AwaitFindingAsync("new-key", "waiting.plain.test");
        Assert.Equal("candidate", await prober.StateAsync("waiting.plain.test", certificates["waiting.plain.test"].PublicKeyFingerprint));

        // And goes on from there: a person asks, and it is judged anew.
        await prober.Policyd.DoAsync("pin", "approve", "waiting.plain.test", certificates["waiting.plain.test"].PublicKeyFingerprint);
        Assert.Contains("ok", await prober.Policyd.DoAsync("probe", "waiting.plain.test"), StringComparison.Ordinal);
        await prober.AwaitVerdictAsync("waiting.plain.test", "ok");
    }

    [Fact]
    public async Task A_server_that_loses_starttls_gets_no_mail_and_moves_no_pin()
    {
        const string Domain = "loses.plain.test";
        var certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        var server = await ServerAsync(Scripts.Good(() => certificate));
        Mail(Domain, server);
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.PinAsync(Domain, [certificate.PublicKeyFingerprint], "--mode", "auto");
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");
        await RouteAsync(prober);

        server.Behave(Scripts.WithoutStartTls);
        await prober.AwaitFindingAsync("starttls-gone", Domain);
        await prober.AwaitVerdictAsync(Domain, "mismatch");
        (await Sender.DeliverAsync("user@" + Domain)).AssertDeferred("4.7.4", "TLS is required, but was not offered");
        await prober.AssertAnswerAsync(Domain, certificate.PublicKeyFingerprint);

        server.Behave(Scripts.Good(() => certificate));
        await prober.AwaitNoFindingAsync("starttls-gone", Domain);
        (await Sender.DeliverAsync("user@" + Domain)).AssertSent("Verified");
    }
}
