using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The other levels: names against a CA, encryption alone, DANE.</summary>
public abstract class LevelStories(Laboratory lab) : ServedStories(lab)
{
    [Fact]
    public async Task Secure_without_match_wants_the_destinations_own_name()
    {
        var destination = await Destination.CreateAsync(Lab, "secure.plain.test", Servers[0]);
        await AddAsync(destination.Domain, "secure");

        await Servers[0].PresentAsync(Lab.Certificates.Issued(destination.Domain));
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        // A name below the destination's serves as well, another one does not.
        await Servers[0].PresentAsync(Lab.Certificates.Issued(destination.MxHosts[0]));
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        await Servers[0].PresentAsync(Lab.Certificates.Issued("mx.elsewhere.test"));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
    }

    [Fact]
    public async Task Secure_with_match_wants_one_of_those_names()
    {
        var destination = await Destination.CreateAsync(Lab, "matched.plain.test", Servers[0]);
        await AddAsync(destination.Domain, "secure", "--match", "mx.provider.test", "--match", ".cluster.provider.test");

        foreach (var name in new[] { "mx.provider.test", "node7.cluster.provider.test" })
        {
            await Servers[0].PresentAsync(Lab.Certificates.Issued(name));
            (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        }

        await Servers[0].PresentAsync(Lab.Certificates.Issued(destination.Domain));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
    }

    [Fact]
    public async Task Secure_refuses_an_expired_and_a_self_signed_certificate()
    {
        var destination = await Destination.CreateAsync(Lab, "expired.plain.test", Servers[0]);
        await AddAsync(destination.Domain, "secure");

        await Servers[0].PresentAsync(Lab.Certificates.Expired(destination.Domain));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not");
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(destination.Domain));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not");
    }

    [Fact]
    public async Task Encrypt_sends_nothing_to_a_server_without_starttls()
    {
        var destination = await Destination.CreateAsync(Lab, "encrypt.plain.test", Servers[0]);
        await AddAsync(destination.Domain, "encrypt");

        await Servers[0].WithoutStartTlsAsync();
        var message = await Sender.SendAsync(destination.User);
        (await Sender.OutcomeAsync(message)).AssertDeferred("4.7.4", "TLS is required, but was not offered by host");
        Assert.False(Lab.Receivers.Received(message));

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned("anyone.test"));
        (await Sender.RetryAsync(message)).AssertSent("Untrusted");
    }

    [Fact]
    public async Task Dane_only_delivers_by_the_signed_zones_record()
    {
        var destination = await Destination.CreateAsync(Lab, "dane.signed.test", Servers[0]);
        var without = await Destination.CreateAsync(Lab, "norecord.signed.test", Servers[0]);
        await AddAsync(destination.Domain, "dane-only");
        await AddAsync(without.Domain, "dane-only");
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        Lab.Dns.Set($"_25._tcp.{destination.MxHosts[0]}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();

        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        (await Sender.DeliverAsync(without.User)).AssertDeferred("4.7.5", "no TLSA records found");

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(destination.MxHosts[0]));
        (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not");
    }

    [Fact]
    public async Task A_destination_without_an_entry_goes_out_at_postfix_own_level()
    {
        var destination = await Destination.CreateAsync(Lab, "unlisted.plain.test", Servers[0]);
        await Servers[0].WithoutStartTlsAsync();
        (await Sender.DeliverAsync(destination.User)).AssertSent(null);
    }
}

[Collection(typeof(HostPostfix))]
public sealed class LevelsWithTheHostsPostfix(HostPostfixLaboratory lab) : LevelStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class LevelsWithTheNewerPostfix(NewerPostfixLaboratory lab) : LevelStories(lab);
