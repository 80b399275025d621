using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The bad servers and resolvers of the laboratory are as bad as the prober's stories say: when these fail, it is not the product.</summary>
[Collection(typeof(HostPostfix))]
public sealed class BuildingBlockStories(HostPostfixLaboratory lab)
{
    private readonly IReadOnlyList<ReceivingServer> _servers = lab.Receivers.Servers;

    [Theory]
    [InlineData(ResolverMood.Validating, true, "SERVFAIL")]
    [InlineData(ResolverMood.NotValidating, false, "NOERROR")]
    [InlineData(ResolverMood.Forging, true, "NOERROR")]
    [InlineData(ResolverMood.Bogus, null, "SERVFAIL")]
    public async Task A_moody_resolver_answers_as_its_mood_is(ResolverMood mood, bool? authentic, string bogus)
    {
        await using var resolver = new MoodyResolver(lab.Sandbox, IPAddress.Parse("127.0.0.60"), mood);

        var secure = await AskAsync(resolver, LabDns.SecureName, "+adflag");
        Assert.Contains(authentic is null ? "SERVFAIL" : "NOERROR", secure, StringComparison.Ordinal);
        Assert.Equal(authentic ?? false, secure.Contains(" ad;", StringComparison.Ordinal));
        Assert.Contains(bogus, await AskAsync(resolver, LabDns.BogusName), StringComparison.Ordinal);
        // What a resolver that finds everything bogus keeps back, it tells who does not want it checked.
        Assert.Contains("NOERROR", await AskAsync(resolver, LabDns.BogusName, "+cdflag"), StringComparison.Ordinal);
        Assert.Equal(3, resolver.Asked);
    }

    [Fact]
    public async Task A_scripted_server_takes_mail_like_a_real_one_and_changes_its_certificate_between_two_messages()
    {
        var certificate = lab.Certificates.Issued("mx1.scripted.plain.test");
        await using var server = new ScriptedServer(lab.Sandbox, (await lab.Network.MoreAsync(1))[0], Scripts.Good(() => certificate));
        lab.Dns.Set("scripted.plain.test", "MX", "10 mx1.scripted.plain.test.").Set("mx1.scripted.plain.test", "A", $"{server.Address}");
        await lab.Dns.PublishAsync();
        await lab.ServeAsync();
        (await lab.Sender.DeliverAsync("user@scripted.plain.test")).AssertSent("Trusted");

        certificate = lab.Certificates.SelfSigned("mx1.scripted.plain.test");
        (await lab.Sender.DeliverAsync("user@scripted.plain.test")).AssertSent("Untrusted");

        server.Behave(Scripts.Greeting("554 go away"));
        Assert.Contains("554 go away", (await lab.Sender.DeliverAsync("user@scripted.plain.test")).Text, StringComparison.Ordinal);
        await lab.Sender.ForgetAllAsync();
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task Tickets_outlive_a_certificate_for_a_client_that_resumes()
    {
        var server = _servers[2];
        await server.WithTicketsAsync();
        try
        {
            await server.PresentAsync(lab.Certificates.SelfSigned("before.plain.test"));
            var session = Path.Combine(lab.Sandbox.Folder, "session");
            Assert.Contains("before.plain.test", await OpenSslAsync(server, "-tls1_2", "-sess_out", session), StringComparison.Ordinal);

            await server.PresentAsync(lab.Certificates.SelfSigned("after.plain.test"));
            Assert.Contains("Reused, TLSv1.2", await OpenSslAsync(server, "-tls1_2", "-sess_in", session), StringComparison.Ordinal);
            Assert.Contains("after.plain.test", await OpenSslAsync(server, "-tls1_2"), StringComparison.Ordinal);
        }
        finally
        {
            await server.AsUsualAsync();
        }
    }

    [Fact]
    public async Task A_server_that_offers_tls_1_0_only_speaks_it_with_a_client_of_its_time()
    {
        var server = _servers[2];
        await server.PresentAsync(lab.Certificates.SelfSigned("old.plain.test", KeyKind.Rsa));
        await server.OnlyTls10Async();
        try
        {
            Assert.Contains("New, TLSv1.0", await OpenSslAsync(server, "-tls1", "-cipher", "ALL:@SECLEVEL=0"), StringComparison.Ordinal);
            Assert.DoesNotContain("New, TLS", await OpenSslAsync(server), StringComparison.Ordinal);
        }
        finally
        {
            await server.AsUsualAsync();
        }

        Assert.Contains("New, TLSv1.3", await OpenSslAsync(server), StringComparison.Ordinal);
    }

    private async Task<string> AskAsync(MoodyResolver resolver, string name, params string[] flags) =>
        (await lab.Sandbox.RunAsync(["kdig", $"@{resolver.Address}", "+timeout=5", "+retry=0", .. flags, "A", name])).Output;

    private async Task<string> OpenSslAsync(ReceivingServer server, params string[] options) =>
        (await lab.Sandbox.RunAsync(
            ["openssl", "s_client", "-connect", $"{server.IPv4}:25", "-starttls", "smtp", .. options], "QUIT\r\n")).Output;
}
