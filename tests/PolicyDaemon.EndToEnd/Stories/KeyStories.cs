using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The keys Postfix asks with: parents, brackets and ports, letter case, international names.</summary>
public abstract class KeyStories(Laboratory lab) : ServedStories(lab)
{
    [Fact]
    public async Task A_leading_dot_is_for_names_below_and_not_for_the_name_itself()
    {
        var below = await Destination.CreateAsync(Lab, "sales.eu.parent.plain.test", Servers[0]);
        var itself = await Destination.CreateAsync(Lab, "parent.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(below.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync(".parent.plain.test", certificate.PublicKeyFingerprint);

        (await Sender.DeliverAsync(below.User)).AssertSent("Verified");
        (await Sender.DeliverAsync(itself.User)).AssertSent("Untrusted");

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(below.MxHosts[0]));
        (await Sender.DeliverAsync(below.User)).AssertDeferred("4.7.5", "Server certificate not verified");
        (await Sender.DeliverAsync(itself.User)).AssertSent("Untrusted");
    }

    [Theory]
    [InlineData("587", "587")]
    [InlineData("submission", "587")]
    [InlineData("587", "submission")]
    public async Task A_next_hop_in_brackets_with_a_port_has_an_entry_of_its_own(string routed, string configured)
    {
        var host = $"relay-{routed}-{configured}.plain.test";
        Lab.Dns.Set(host, "A", $"{Servers[0].IPv4}");
        await Lab.Dns.PublishAsync();
        var domain = $"behind-{host}";
        await Sender.RouteAsync($"{domain} smtp:[{host}]:{routed}");
        var certificate = Lab.Certificates.SelfSigned(host);
        await Servers[0].PresentAsync(certificate);
        await PinAsync($"[{host}]:{configured}", certificate.PublicKeyFingerprint);

        var attempt = await Sender.DeliverAsync("user@" + domain);
        attempt.AssertSent("Verified");
        Assert.EndsWith(":587", attempt.Relay, StringComparison.Ordinal);

        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(host));
        (await Sender.DeliverAsync("user@" + domain)).AssertDeferred("4.7.5", "Server certificate not verified");
    }

    [Fact]
    public async Task Letter_case_makes_no_difference()
    {
        var destination = await Destination.CreateAsync(Lab, "case.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync("Case.PLAIN.test", certificate.PublicKeyFingerprint);

        foreach (var domain in new[] { "case.plain.test", "CASE.Plain.TEST" })
            (await Sender.DeliverAsync("user@" + domain)).AssertSent("Verified");
    }

    [Fact]
    public async Task An_international_name_is_one_destination_however_it_is_written()
    {
        var destination = await Destination.CreateAsync(Lab, "xn--mnchen-3ya.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync("münchen.plain.test", certificate.PublicKeyFingerprint);

        foreach (var domain in new[] { "münchen.plain.test", "MÜNCHEN.plain.test", "xn--mnchen-3ya.plain.test" })
            (await Sender.DeliverAsync("user@" + domain)).AssertSent("Verified");
    }
}

[Collection(typeof(HostPostfix))]
public sealed class KeysWithTheHostsPostfix(HostPostfixLaboratory lab) : KeyStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class KeysWithTheNewerPostfix(NewerPostfixLaboratory lab) : KeyStories(lab);
