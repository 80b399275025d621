using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The laboratory by itself, with a hand-kept table instead of our daemon: when these fail, it is not the product.</summary>
public abstract class LaboratoryStories(Laboratory lab) : IAsyncLifetime
{
    private string Table => Path.Combine(lab.Sandbox.Folder, "tls_policy");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Table, "");
        await lab.Sender.UsePolicyMapsAsync("texthash:" + Table);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await lab.Sender.ForgetAllAsync();
        await lab.Sender.UsePolicyMapsAsync(Laboratory.PolicyMap);
    }

    [Fact]
    public async Task A_hand_kept_table_delivers_by_pin_and_defers_when_the_key_changed()
    {
        var server = lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(lab, "hand.plain.test", server);
        var certificate = lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(certificate);
        await WriteTableAsync($"{destination.Domain} fingerprint match={certificate.Fingerprint}");

        (await lab.Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        await server.PresentAsync(lab.Certificates.SelfSigned(destination.MxHosts[0], KeyKind.Rsa));
        var message = await lab.Sender.SendAsync(destination.User);
        (await lab.Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "Server certificate not verified");
        Assert.False(lab.Receivers.Received(message));
    }

    /// <summary>What <c>policyctl export</c> writes for an entry that cannot be served: in a file table, too, its mail waits.</summary>
    [Fact]
    public async Task A_level_that_does_not_exist_defers_the_mail()
    {
        var server = lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(lab, "unservable.plain.test", server);
        await server.PresentAsync(lab.Certificates.Issued(destination.MxHosts[0]));
        await WriteTableAsync($"{destination.Domain} unservable-see-comment-above");

        var message = await lab.Sender.SendAsync(destination.User);
        (await lab.Sender.OutcomeAsync(message)).AssertDeferred("4.7.5", "client TLS configuration problem");
        Assert.False(lab.Receivers.Received(message));
    }

    /// <summary>The forms of values that our rules accept, in policies that Postfix must therefore read.</summary>
    [Theory]
    [InlineData("encrypt ciphers=medium protocols=>=TLSv1.2 exclude=aNULL:kRSA+AES servername=hostname connection_reuse=no", "Untrusted")]
    [InlineData("encrypt ciphers=high protocols=!SSLv2:!sslv3:!TLSv1:!TLSv1.1 servername=nexthop", "Untrusted")]
    [InlineData("encrypt ciphers=low protocols=TLSv1.2:TLSv1.3", "Untrusted")]
    [InlineData("encrypt protocols=>=0303:<=0304 exclude=ECDHE-RSA-AES128-SHA", "Untrusted")]
    [InlineData("ENCRYPT,,CIPHERS=EXPORT", "Untrusted")]
    [InlineData("secure match=NEXTHOP:dot-nexthop:hostname:.other.test servername=mx.other_name.test", "Verified")]
    public async Task What_our_rules_accept_Postfix_reads(string policy, string verdict)
    {
        var server = lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(lab, "attributes.plain.test", server);
        await server.PresentAsync(policy.StartsWith("secure", StringComparison.Ordinal)
            ? lab.Certificates.Issued(destination.MxHosts[0])
            : lab.Certificates.SelfSigned(destination.MxHosts[0]));
        await WriteTableAsync($"{destination.Domain} {policy}");

        (await lab.Sender.DeliverAsync(destination.User)).AssertSent(verdict);
    }

    /// <summary>And what they refuse would defer all mail to the destination.</summary>
    [Theory]
    [InlineData("halfdane")]
    [InlineData("encrypt ciphers=strong")]
    [InlineData("encrypt ciphers = high")]
    [InlineData("encrypt ciphers=high ciphers=high")]
    [InlineData("encrypt ciphers=")]
    [InlineData("encrypt protocols=TLSv1.4")]
    [InlineData("encrypt protocols=>=TLSv1.2 protocols=TLSv1.3")]
    [InlineData("encrypt protocols=!TLSv1:!TLSv1.1:!TLSv1.2:!TLSv1.3")]
    [InlineData("encrypt exclude=!aNULL")]
    [InlineData("encrypt exclude=MD5 exclude=3DES")]
    [InlineData("encrypt servername=")]
    [InlineData("encrypt servername=.other.test")]
    [InlineData("encrypt servername=-a.test")]
    [InlineData("encrypt connection_reuse=maybe")]
    [InlineData("encrypt match=mx.other.test")]
    [InlineData("encrypt tafile=/etc/ta.pem")]
    [InlineData("encrypt attributes=none")]
    [InlineData("fingerprint")]
    [InlineData("fingerprint match=|")]
    [InlineData("fingerprint match=sha256:aa")]
    [InlineData("secure match=")]
    [InlineData("secure match=:")]
    [InlineData("secure match=.")]
    public async Task What_our_rules_refuse_defers_the_mail(string policy)
    {
        var server = lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(lab, "refused.plain.test", server);
        await server.PresentAsync(lab.Certificates.Issued(destination.Domain));
        await WriteTableAsync($"{destination.Domain} {policy}");

        (await lab.Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "");
    }

    [Fact]
    public async Task Without_an_entry_mail_goes_out_as_the_server_allows()
    {
        var server = lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(lab, "open.plain.test", server);
        await server.WithoutStartTlsAsync();
        var message = await lab.Sender.SendAsync(destination.User);
        (await lab.Sender.OutcomeAsync(message)).AssertSent(null);
        Assert.True(lab.Receivers.Received(message));

        await server.PresentAsync(lab.Certificates.SelfSigned(destination.MxHosts[0]));
        (await lab.Sender.DeliverAsync(destination.User)).AssertSent("Untrusted");
    }

    [Fact]
    public async Task Dane_works_in_the_signed_zone_only()
    {
        var server = lab.Receivers.Servers[0];
        var inSigned = await Destination.CreateAsync(lab, "hand.signed.test", server);
        var inPlain = await Destination.CreateAsync(lab, "dane.plain.test", server);
        var certificate = lab.Certificates.SelfSigned(inSigned.MxHosts[0]);
        await server.PresentAsync(certificate);
        foreach (var destination in new[] { inSigned, inPlain })
            lab.Dns.Set($"_25._tcp.{destination.MxHosts[0]}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await lab.Dns.PublishAsync();
        await WriteTableAsync($"{inSigned.Domain} dane-only", $"{inPlain.Domain} dane-only");

        (await lab.Sender.DeliverAsync(inSigned.User)).AssertSent("Verified");
        (await lab.Sender.DeliverAsync(inPlain.User)).AssertDeferred("4.7.5", "non DNSSEC destination");
    }

    [Fact]
    public async Task A_host_that_is_down_makes_postfix_take_the_next_one()
    {
        var (first, second) = (lab.Receivers.Servers[0], lab.Receivers.Servers[1]);
        var destination = await Destination.CreateAsync(lab, "down.plain.test", first, second);
        await second.PresentAsync(lab.Certificates.Issued(destination.MxHosts[1]));
        await lab.Network.DownAsync(first.IPv4);
        try
        {
            var attempt = await lab.Sender.DeliverAsync(destination.User);
            attempt.AssertSent("Trusted");
            Assert.StartsWith(destination.MxHosts[1], attempt.Relay, StringComparison.Ordinal);
        }
        finally
        {
            await lab.Network.UpAsync(first.IPv4);
        }
    }

    private async Task WriteTableAsync(params string[] lines)
    {
        await File.WriteAllLinesAsync(Table, lines);
        PostfixInstance.Settle(Table);
        // Postfix reads a text table once.
        await lab.Sender.Instance.ReloadAsync();
    }
}

[Collection(typeof(HostPostfix))]
public sealed class LaboratoryWithTheHostsPostfix(HostPostfixLaboratory lab) : LaboratoryStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class LaboratoryWithTheNewerPostfix(NewerPostfixLaboratory lab) : LaboratoryStories(lab);
