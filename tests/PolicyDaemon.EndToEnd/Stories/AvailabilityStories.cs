using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What becomes of mail while the daemon is away: it waits, and never leaves at a lower level.</summary>
public abstract class AvailabilityStories(Laboratory lab) : ServedStories(lab)
{
    [Fact]
    public async Task While_the_daemon_is_stopped_mail_waits_and_afterwards_it_is_sent()
    {
        var destination = await Destination.CreateAsync(Lab, "stopped.plain.test", Servers[0]);
        var unlisted = await Destination.CreateAsync(Lab, "unlisted-stopped.plain.test", Servers[1]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await Servers[1].WithoutStartTlsAsync();
        await PinAsync(destination.Domain, certificate.PublicKeyFingerprint);

        Assert.Equal(0, await Policyd.StopAsync());
        var message = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "client TLS configuration problem");
        // Postfix cannot know that this one has no entry.
        var other = await Sender.SendAsync(unlisted.User);
        (await Sender.OutcomeAsync(other)).AssertDeferred("4.7.5", "client TLS configuration problem");
        Assert.False(Lab.Receivers.Received(message));
        Assert.False(Lab.Receivers.Received(other));

        await Policyd.StartAsync();
        (await Sender.RetryAsync(message)).AssertSent("Verified");
        (await Sender.RetryAsync(other)).AssertSent(null);
    }

    [Fact]
    public async Task A_daemon_that_was_killed_comes_back_with_all_it_knew()
    {
        var destination = await Destination.CreateAsync(Lab, "killed.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync(destination.Domain, certificate.PublicKeyFingerprint);

        await Policyd.KillAsync();
        var message = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "client TLS configuration problem");
        Assert.False(Lab.Receivers.Received(message));

        await Policyd.StartAsync();
        (await Sender.RetryAsync(message)).AssertSent("Verified");
    }
}

[Collection(typeof(HostPostfix))]
public sealed class AvailabilityWithTheHostsPostfix(HostPostfixLaboratory lab) : AvailabilityStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class AvailabilityWithTheNewerPostfix(NewerPostfixLaboratory lab) : AvailabilityStories(lab);
