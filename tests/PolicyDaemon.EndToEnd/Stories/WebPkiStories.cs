using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>A certificate of a CA is renewed. In mode auto it is followed after the hold-down, where the MX name is authenticated; otherwise never.</summary>
[Collection(typeof(Probing))]
public sealed class WebPkiStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task A_publicly_trusted_renewal_is_promoted_in_mode_auto_after_the_hold_down_and_else_only_proposed()
    {
        (string Domain, string Mode)[] domains =
            [("auto.signed.test", "auto"), ("assist.signed.test", "assist"), ("locked.signed.test", "locked"), ("auto.plain.test", "auto")];
        var certificates = domains.ToDictionary(d => d.Domain, d => Lab.Certificates.Issued("mx1." + d.Domain));
        var servers = new Dictionary<string, ScriptedServer>();
        foreach (var (domain, _) in domains)
        {
            servers[domain] = await ServerAsync(Scripts.Good(() => certificates[domain]));
            Mail(domain, servers[domain]);
        }

        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync(Lab.Probing().With("hold_down", "5s").With("hold_down_probes", "3").With("retire_grace", "1h"));
        foreach (var (domain, mode) in domains)
            await prober.PinAsync(domain, [certificates[domain].PublicKeyFingerprint], "--mode", mode);
        await prober.Policyd.StartAsync();
        foreach (var (domain, _) in domains) await prober.AwaitVerdictAsync(domain, "ok");

        var old = new Dictionary<string, LabCertificate>(certificates);
        foreach (var (domain, _) in domains) certificates[domain] = Lab.Certificates.Issued("mx1." + domain);
        var before = servers["auto.signed.test"].Connections;
        var followed = certificates["auto.signed.test"].PublicKeyFingerprint;
        await prober.AwaitStateAsync("auto.signed.test", followed, "candidate");
        var seen = await prober.SinceAsync("auto.signed.test", followed);
        await prober.AwaitStateAsync("auto.signed.test", followed, "active");

        Assert.Equal("webpki", await prober.StrengthAsync("auto.signed.test", followed));
        Assert.True(servers["auto.signed.test"].Connections - before >= 3, "promoted after fewer than three probes");
        var promoted = await prober.SinceAsync("auto.signed.test", followed);
        Assert.True(promoted - seen >= TimeSpan.FromSeconds(5), $"seen {seen:O}, promoted {promoted:O}");
        await prober.AwaitAnswerAsync("auto.signed.test", old["auto.signed.test"].PublicKeyFingerprint, followed);

        // The others had the same time and as many probes, and some more.
        foreach (var domain in new[] { "assist.signed.test", "locked.signed.test", "auto.plain.test" })
        {
            await Prober.AwaitProbesAsync(servers[domain], 3);
            Assert.Equal("candidate", await prober.StateAsync(domain, certificates[domain].PublicKeyFingerprint));
            await prober.AssertAnswerAsync(domain, old[domain].PublicKeyFingerprint);
            await prober.AwaitFindingAsync("new-key", domain);
        }
    }
}
