using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What a probe must not overlook, must not touch, and must not forget.</summary>
[Collection(typeof(Probing))]
public sealed class PersistenceStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task A_certificate_swap_behind_kept_ticket_keys_is_seen_at_the_next_probe()
    {
        var server = Lab.Receivers.Servers[0];
        await server.WithTicketsAsync();
        try
        {
            var destination = await Destination.CreateAsync(Lab, "tickets.plain.test", server);
            var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
            await server.PresentAsync(old);
            // The next probe is one that we ask for.
            var prober = await ProberAsync(Lab.Probing().With("interval", "1h").With("renewal_interval", "1h"));
            await prober.PinAsync(destination.Domain, [old.PublicKeyFingerprint]);
            await prober.Policyd.StartAsync();
            await prober.AwaitVerdictAsync(destination.Domain, "ok");

            var swapped = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
            await server.PresentAsync(swapped);
            // A lookup of a pinned key whose last probe is older than lookup_staleness, as Postfix' next delivery makes one.
            await Until.TrueAsync("a lookup made the probe that sees the swap", async () =>
            {
                await prober.AssertAnswerAsync(destination.Domain, old.PublicKeyFingerprint);
                return await prober.StateAsync(destination.Domain, swapped.PublicKeyFingerprint) == "candidate";
            }, () => prober.Tell(destination.Domain));
            await prober.AwaitVerdictAsync(destination.Domain, "mismatch");
        }
        finally
        {
            await server.AsUsualAsync();
        }
    }

    [Fact]
    public async Task What_a_certificate_offers_for_download_is_never_fetched()
    {
        var web = Keep(new ScriptedServer(Lab.Sandbox, (await Lab.Network.MoreAsync(1))[0], Scripts.EmptyWebServer, port: 80));
        const string Domain = "downloads.plain.test";
        var certificate = Lab.Certificates.WithDownloads("mx1." + Domain, $"{web.Address}");
        var server = await ServerAsync(Scripts.Good(() => certificate));
        Mail(Domain, server);
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.PinAsync(Domain, [certificate.PublicKeyFingerprint], "--mode", "auto");
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");
        await Prober.AwaitProbesAsync(server, 4);
        await prober.Policyd.CtlAsync("check", Domain);
        Assert.True(web.Connections == 0, "somebody asked: " + string.Join('\n', web.Commands));

        // The counter counts.
        await Lab.Sandbox.RunAsync(["bash", "-c", $"exec 3<>/dev/tcp/{web.Address}/80; echo 'GET / HTTP/1.0' >&3; cat <&3"]);
        Assert.Equal(1, web.Connections);
    }

    [Fact]
    public async Task A_backup_mx_that_is_down_keeps_its_pin_while_the_others_rotate()
    {
        const string Domain = "backup.signed.test";
        var (first, third) = (Lab.Certificates.SelfSigned("mx1." + Domain), Lab.Certificates.SelfSigned("mx3." + Domain));
        var backup = Lab.Certificates.SelfSigned("mx2." + Domain);
        var (old1, old3) = (first, third);
        var (server1, server2, server3) = (await ServerAsync(Scripts.Good(() => first)), await ServerAsync(Scripts.Good(() => backup)),
            await ServerAsync(Scripts.Good(() => third)));
        Lab.Dns.Set(Domain, "MX", $"10 mx1.{Domain}.", $"20 mx2.{Domain}.", $"10 mx3.{Domain}.");
        foreach (var (name, server) in new[] { ("mx1", server1), ("mx2", server2), ("mx3", server3) })
            Lab.Dns.Set($"{name}.{Domain}", "A", $"{server.Address}");
        await PublishKeysAsync();
        var prober = await ProberAsync(
            Lab.Probing().With("connect_timeout", "1s").With("interval", "1s").With("renewal_interval", "1s").With("retire_after", "2s"));
        await prober.PinAsync(Domain, [first.PublicKeyFingerprint, backup.PublicKeyFingerprint, third.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");

        // It has been up for long enough to be known.
        await Prober.AwaitProbesAsync(server2, 5);
        await Lab.Network.DownAsync(server2.Address);
        (first, third) = (Lab.Certificates.SelfSigned("mx1." + Domain), Lab.Certificates.SelfSigned("mx3." + Domain));
        await PublishKeysAsync();
        foreach (var rotated in new[] { first, third }) await prober.AwaitStateAsync(Domain, rotated.PublicKeyFingerprint, "active");
        foreach (var retired in new[] { old1, old3 }) await prober.AwaitStateAsync(Domain, retired.PublicKeyFingerprint, "retired");
        // As many probes again as the others needed for their whole lives.
        await Prober.AwaitProbesAsync(server1, 8);
        Assert.Equal("active", await prober.StateAsync(Domain, backup.PublicKeyFingerprint));
        await prober.AwaitAnswerAsync(Domain, first.PublicKeyFingerprint, backup.PublicKeyFingerprint, third.PublicKeyFingerprint);

        await Lab.Network.UpAsync(server2.Address);
        await Prober.AwaitProbesAsync(server2, 1);
        await prober.AwaitVerdictAsync(Domain, "ok");

        async Task PublishKeysAsync()
        {
            foreach (var (name, certificate) in new[] { ("mx1", first), ("mx2", backup), ("mx3", third) })
                Lab.Dns.Set($"_25._tcp.{name}.{Domain}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
            await Lab.Dns.PublishAsync();
        }
    }
}
