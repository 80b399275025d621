using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Fingerprints: the right server is "Verified", any other one gets no mail.</summary>
public abstract class PinStories(Laboratory lab) : ServedStories(lab)
{
    [Theory]
    [InlineData(KeyKind.Ecdsa)]
    [InlineData(KeyKind.Rsa)]
    public async Task A_self_signed_server_is_verified_by_the_pin_of_its_certificate(KeyKind kind)
    {
        var destination = await Destination.CreateAsync(Lab, $"certificate-{kind.ToString().ToLowerInvariant()}.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0], kind);
        await Servers[0].PresentAsync(certificate);
        await PinAsync(destination.Domain, certificate.Fingerprint);

        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
    }

    [Fact]
    public async Task A_pin_of_the_public_key_outlives_the_certificate()
    {
        var destination = await Destination.CreateAsync(Lab, "publickey.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync(destination.Domain, certificate.PublicKeyFingerprint);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        await Servers[0].PresentAsync(Lab.Certificates.SameKeyAgain(destination.MxHosts[0], certificate));
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
    }

    [Fact]
    public async Task A_renewed_key_defers_mail_until_its_pin_is_added_and_nothing_is_reloaded()
    {
        var destination = await Destination.CreateAsync(Lab, "renewed.plain.test", Servers[0]);
        var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(old);
        await PinAsync(destination.Domain, old.PublicKeyFingerprint);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        var renewed = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(renewed);
        var message = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "Server certificate not verified");
        Assert.False(Lab.Receivers.Received(message));

        await Policyd.DoAsync("pin", "add", destination.Domain, renewed.PublicKeyFingerprint);
        await Until.TrueAsync("the new pin is served", async () =>
            (await Policyd.AskAsync("tlspolicy", destination.Domain))!.Contains(renewed.PublicKeyFingerprint, StringComparison.OrdinalIgnoreCase));
        (await Sender.RetryAsync(message)).AssertSent("Verified");
        Assert.True(Lab.Receivers.Received(message));
    }

    [Fact]
    public async Task A_revoked_pin_opens_no_door()
    {
        var destination = await Destination.CreateAsync(Lab, "revoked.plain.test", Servers[0]);
        var stolen = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        var good = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(stolen);
        await PinAsync(destination.Domain, stolen.PublicKeyFingerprint, good.PublicKeyFingerprint);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        await Policyd.DoAsync("pin", "revoke", destination.Domain, stolen.PublicKeyFingerprint, "--reason", "the key was stolen");
        await Until.TrueAsync("the revoked pin is no longer served", async () =>
            !(await Policyd.AskAsync("tlspolicy", destination.Domain))!.Contains(stolen.PublicKeyFingerprint, StringComparison.OrdinalIgnoreCase));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
    }

    [Fact]
    public async Task Two_mx_hosts_with_different_keys_are_both_verified()
    {
        var destination = await Destination.CreateAsync(Lab, "twohosts.plain.test", Servers[0], Servers[1]);
        var first = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        var second = Lab.Certificates.SelfSigned(destination.MxHosts[1], KeyKind.Rsa);
        await Servers[0].PresentAsync(first);
        await Servers[1].PresentAsync(second);
        await PinAsync(destination.Domain, first.PublicKeyFingerprint, second.PublicKeyFingerprint);

        var attempt = await Sender.DeliverAsync(destination.User);
        attempt.AssertSent("Verified");
        Assert.StartsWith(destination.MxHosts[0], attempt.Relay, StringComparison.Ordinal);

        // The first host shows a key that is not pinned; Postfix goes on to the second one with the same answer.
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(destination.MxHosts[0]));
        attempt = await Sender.DeliverAsync(destination.User);
        Assert.Equal(("sent", "Verified"), (attempt.Status, attempt.Tls[^1]));
        Assert.StartsWith(destination.MxHosts[1], attempt.Relay, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_with_an_rsa_and_an_ecdsa_certificate_needs_both_pins()
    {
        var destination = await Destination.CreateAsync(Lab, "bothkinds.plain.test", Servers[0]);
        var ecdsa = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        var rsa = Lab.Certificates.SelfSigned(destination.MxHosts[0], KeyKind.Rsa);
        await Servers[0].PresentAsync(ecdsa, rsa);
        await PinAsync(destination.Domain, ecdsa.PublicKeyFingerprint, rsa.PublicKeyFingerprint);

        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
    }
}

[Collection(typeof(HostPostfix))]
public sealed class PinsWithTheHostsPostfix(HostPostfixLaboratory lab) : PinStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class PinsWithTheNewerPostfix(NewerPostfixLaboratory lab) : PinStories(lab);
