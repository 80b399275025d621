using System.Globalization;
using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Mail servers as they are met: each ends in the outcome that names it, and the prober is well after all of them.</summary>
[Collection(typeof(Probing))]
public sealed class HostileServerStories(ProbingLaboratory lab) : ProberStories(lab)
{
    private const string Zone = "hostile.plain.test";

    private readonly List<(string Domain, string Outcome, string Pin, string Verdict)> _expected = [];

    [Fact]
    public async Task Every_kind_of_server_ends_in_its_named_outcome_and_moves_no_pin()
    {
        var fine = Lab.Certificates.SelfSigned("mx1.fine." + Zone);
        await ScriptedAsync("fine", "secured", Scripts.Good(() => fine), "ok", fine);
        var slow = Lab.Certificates.SelfSigned("mx1.slow." + Zone);
        await ScriptedAsync("slow", "secured", Scripts.GreetingAfter(TimeSpan.FromMilliseconds(500), () => slow), "ok", slow);
        await ScriptedAsync("busy", "greeting-temporary", Scripts.Greeting("450 4.3.2 try again later"));
        await ScriptedAsync("closed", "greeting-permanent", Scripts.Greeting("554 5.3.2 no mail here"));
        await ScriptedAsync("greylisting", "greeting-temporary", Scripts.Greylisting);
        await ScriptedAsync("tarpit", "timeout", Scripts.Tarpit);
        await ScriptedAsync("cut", "connection-lost", Scripts.CutAfterEhlo);
        await ScriptedAsync("garbage", "handshake-failed", Scripts.GarbageForTls, "mismatch");
        await ScriptedAsync("unavailable", "starttls-refused", Scripts.StartTlsUnavailable, "mismatch");
        // Postfix goes on behind the injected octets and compares the key; the probe does not, and says that it cannot tell.
        await ScriptedAsync("injecting", "plaintext-injected", Scripts.Injecting(() => fine), "unknown");
        await ScriptedAsync("endless", "reply-too-long", Scripts.HugeGreeting);
        await ScriptedAsync("plain", "starttls-not-supported", Scripts.WithoutStartTls, "mismatch");
        Expect("refused", "connection-refused", "unreachable", Pin());
        Address("refused", (await Lab.Network.MoreAsync(1))[0]);
        await RealServersAsync();

        // One MX host is down and the other is fine: mail goes to the other.
        var other = Lab.Certificates.SelfSigned("mx2.onedown." + Zone);
        var second = await ServerAsync(Scripts.Good(() => other));
        Lab.Dns.Set("onedown." + Zone, "MX", $"10 mx1.onedown.{Zone}.", $"20 mx2.onedown.{Zone}.")
            .Set("mx1.onedown." + Zone, "A", $"{IPAddress.Parse("192.0.2.254")}")
            .Set("mx2.onedown." + Zone, "A", $"{second.Address}");
        Expect("onedown", "secured", "ok", other.PublicKeyFingerprint);

        try
        {
            await Lab.Dns.PublishAsync();
            await ProbeThemAllAsync();
        }
        finally
        {
            foreach (var server in Lab.Receivers.Servers) await server.AsUsualAsync();
        }
    }

    /// <summary>What a real Postfix can be told to do.</summary>
    private async Task RealServersAsync()
    {
        var servers = Lab.Receivers.Servers;
        var old = Lab.Certificates.SelfSigned("mx1.tls10." + Zone, KeyKind.Rsa);
        await servers[0].PresentAsync(old);
        await servers[0].OnlyTls10Async();
        Expect("tls10", "tls-too-old", "mismatch", old.PublicKeyFingerprint);
        Address("tls10", servers[0].IPv4);

        var six = Lab.Certificates.SelfSigned("mx1.six." + Zone);
        await servers[1].PresentAsync(six);
        Expect("six", "secured", "ok", six.PublicKeyFingerprint);
        Address("six", servers[1].IPv6);

        var expired = Lab.Certificates.Expired("mx1.expired." + Zone);
        await servers[2].PresentAsync(expired);
        Expect("expired", "secured", "ok", expired.PublicKeyFingerprint);
        Address("expired", servers[2].IPv4);

        var many = Lab.Certificates.IssuedForMany(
            Enumerable.Range(0, 199).Select(n => string.Create(CultureInfo.InvariantCulture, $"n{n}.many.{Zone}")).Append("mx1.many." + Zone));
        await servers[3].PresentAsync(many);
        Expect("many", "secured", "ok", many.PublicKeyFingerprint);
        Address("many", servers[3].IPv4);

        // Clients that prefer the other kind of key would meet one that is not pinned.
        var (ecdsa, rsa) = (Lab.Certificates.SelfSigned("mx1.both." + Zone), Lab.Certificates.SelfSigned("mx1.both." + Zone, KeyKind.Rsa));
        await servers[4].PresentAsync(ecdsa, rsa);
        Expect("both", "secured", "degraded", ecdsa.PublicKeyFingerprint);
        Address("both", servers[4].IPv4);
    }

    private async Task ProbeThemAllAsync()
    {
        var prober = await ProberAsync(Lab.Probing().With("connect_timeout", "3s").With("reply_timeout", "4s"));
        foreach (var (domain, _, pin, _) in _expected) await prober.PinAsync(domain, [pin]);
        // What a person sees who asks, all at once: nobody waits for anybody else.
        var wrong = new List<string>();
        var checks = await Task.WhenAll(_expected.Select(async expected => (expected, await prober.Policyd.JsonAsync("check", expected.Domain))));
        foreach (var ((domain, outcome, _, _), check) in checks)
        {
            var outcomes = Prober.All(check.GetProperty("observations"), "outcome").Select(o => o.GetString()).ToHashSet();
            if (!outcomes.Contains(outcome)) wrong.Add($"{domain}: expected {outcome}, met {string.Join(' ', outcomes)}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        // And what the prober makes of them by itself.
        await prober.Policyd.StartAsync();
        foreach (var (domain, _, _, verdict) in _expected)
        {
            await Until.TrueAsync(
                $"{domain} was probed", async () => await prober.VerdictAsync(domain) is { } said && (said != "unknown" || verdict == "unknown"),
                () => prober.Tell(domain));
            if (await prober.VerdictAsync(domain) is var met && met != verdict) wrong.Add($"{domain}: expected {verdict}, judged {met}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong) + "\n" + prober.Policyd.Said);

        // All of them again, and the one that is fine meanwhile.
        await Prober.AwaitProbesAsync(_fine!, 2);
        await prober.AwaitVerdictAsync("fine." + Zone, "ok");
        foreach (var (domain, _, pin, _) in _expected) await prober.AssertAnswerAsync(domain, pin);
        await prober.AwaitFindingAsync("plaintext-injected", "injecting." + Zone);
    }

    private ScriptedServer? _fine;

    private async Task ScriptedAsync(
        string name, string outcome, Func<ScriptedConnection, Task> script, string verdict = "unreachable", LabCertificate? certificate = null)
    {
        var server = await ServerAsync(script);
        _fine ??= server;
        Mail($"{name}.{Zone}", server);
        Expect(name, outcome, verdict, certificate?.PublicKeyFingerprint ?? Pin());
    }

    private void Address(string name, IPAddress address) => Lab.Dns
        .Set($"{name}.{Zone}", "MX", $"10 mx1.{name}.{Zone}.")
        .Set($"mx1.{name}.{Zone}", address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "AAAA" : "A", $"{address}");

    private void Expect(string name, string outcome, string verdict, string pin) => _expected.Add(($"{name}.{Zone}", outcome, pin, verdict));

    private string Pin() => _expected.Count.ToString("x64", CultureInfo.InvariantCulture);
}
