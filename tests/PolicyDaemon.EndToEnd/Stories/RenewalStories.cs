using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>A server renews its key: what the prober sees, what it says, what it does by itself, and what happens to mail.</summary>
public abstract class RenewalStories(Laboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task A_self_signed_renewal_is_flagged_and_waits_for_a_person_then_mail_flows_and_the_old_pin_retires()
    {
        var server = Lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(Lab, "renews.plain.test", server);
        var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(old);
        var prober = await ProberAsync();
        await prober.PinAsync(destination.Domain, [old.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        await prober.AwaitVerdictAsync(destination.Domain, "ok");
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        var renewed = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(renewed);
        var message = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "Server certificate not verified");
        var finding = await prober.AwaitFindingAsync("new-key", destination.Domain);
        // Expected and seen side by side, and the command that settles it.
        Assert.Contains(old.PublicKeyFingerprint, $"{finding}", StringComparison.OrdinalIgnoreCase);
        Assert.Contains(renewed.PublicKeyFingerprint, $"{finding}", StringComparison.OrdinalIgnoreCase);
        Assert.Contains("pin approve", $"{finding}", StringComparison.Ordinal);
        await prober.AwaitVerdictAsync(destination.Domain, "mismatch");
        await prober.AwaitStateAsync(destination.Domain, renewed.PublicKeyFingerprint, "candidate");
        await prober.AssertAnswerAsync(destination.Domain, old.PublicKeyFingerprint);

        // Both are served, until the old one is retired: here within three seconds, which a poll may miss.
        var approved = (await prober.Policyd.JsonAsync("pin", "approve", destination.Domain, renewed.PublicKeyFingerprint)).GetProperty("keys")[0].GetProperty("after");
        Assert.Contains(old.PublicKeyFingerprint, $"{approved}", StringComparison.OrdinalIgnoreCase);
        Assert.Contains(renewed.PublicKeyFingerprint, $"{approved}", StringComparison.OrdinalIgnoreCase);
        await prober.AwaitStateAsync(destination.Domain, renewed.PublicKeyFingerprint, "active");
        (await Sender.RetryAsync(message)).AssertSent("Verified");
        Assert.Equal("person", await prober.StrengthAsync(destination.Domain, renewed.PublicKeyFingerprint));
        await prober.AwaitVerdictAsync(destination.Domain, "ok");
        await prober.AwaitNoFindingAsync("new-key", destination.Domain);

        await prober.AwaitStateAsync(destination.Domain, old.PublicKeyFingerprint, "retired");
        await prober.AwaitAnswerAsync(destination.Domain, renewed.PublicKeyFingerprint);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        (await prober.Policyd.CtlAsync("audit", "--verify")).Require();
    }

    [Fact]
    public async Task With_a_tlsa_record_for_the_new_key_it_is_promoted_by_itself_and_no_mail_is_deferred_after_that()
    {
        var server = Lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(Lab, "renews.signed.test", server);
        var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(old);
        await AnnounceAsync(destination, old);
        var prober = await ProberAsync();
        await prober.PinAsync(destination.Domain, [old.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        await prober.AwaitVerdictAsync(destination.Domain, "ok");

        var renewed = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await AnnounceAsync(destination, renewed);
        await server.PresentAsync(renewed);
        await prober.AwaitStateAsync(destination.Domain, renewed.PublicKeyFingerprint, "active");
        Assert.Equal("dane", await prober.StrengthAsync(destination.Domain, renewed.PublicKeyFingerprint));
        await prober.AwaitAnswerAsync(destination.Domain, old.PublicKeyFingerprint, renewed.PublicKeyFingerprint);

        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        await prober.AwaitStateAsync(destination.Domain, old.PublicKeyFingerprint, "retired");
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        await prober.AwaitNoFindingAsync("new-key", destination.Domain);
    }

    [Fact]
    public async Task A_key_that_the_signed_zone_announces_is_served_before_the_server_has_it_so_no_mail_waits_at_all()
    {
        var server = Lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(Lab, "announces.signed.test", server);
        var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        var next = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(old);
        await AnnounceAsync(destination, old);
        var prober = await ProberAsync();
        await prober.PinAsync(destination.Domain, [old.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        await prober.AwaitVerdictAsync(destination.Domain, "ok");

        await AnnounceAsync(destination, old, next);
        await prober.AwaitStateAsync(destination.Domain, next.PublicKeyFingerprint, "standby");
        await prober.AwaitAnswerAsync(destination.Domain, old.PublicKeyFingerprint, next.PublicKeyFingerprint);
        await server.PresentAsync(next);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        await prober.AwaitStateAsync(destination.Domain, next.PublicKeyFingerprint, "active");
        Assert.Empty(await prober.FindingsAsync("new-key", destination.Domain));
    }

    private async Task AnnounceAsync(Destination destination, params LabCertificate[] certificates)
    {
        Lab.Dns.Set($"_25._tcp.{destination.MxHosts[0]}", "TLSA", [.. certificates.Select(c => $"3 1 1 {c.PublicKeyFingerprint}")]);
        await Lab.Dns.PublishAsync();
    }
}

[Collection(typeof(Probing))]
public sealed class RenewalsWithTheHostsPostfix(ProbingLaboratory lab) : RenewalStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class RenewalsWithTheNewerPostfix(NewerPostfixLaboratory lab) : RenewalStories(lab);
