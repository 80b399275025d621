using System.Globalization;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>When many show new keys at once, it is our own network: the brake.</summary>
[Collection(typeof(Probing))]
public sealed class BrakeStories(ProbingLaboratory lab) : ProberStories(lab)
{
    private const int Groups = 100;
    private const int Changed = 20;

    private readonly LabCertificate[] _certificates = [.. Enumerable.Range(0, Groups).Select(n => lab.Certificates.SelfSigned(Host(n)))];

    [Fact]
    public async Task When_20_of_100_show_a_new_key_at_once_none_is_promoted_though_dns_says_so_too_and_there_is_one_finding()
    {
        var addresses = await Lab.Network.MoreAsync(Groups);
        for (var n = 0; n < Groups; n++)
        {
            var number = n;
            Keep(new ScriptedServer(Lab.Sandbox, addresses[n], Scripts.Good(() => _certificates[number])));
            Lab.Dns.Set(Domain(n), "MX", $"10 {Host(n)}.").Set(Host(n), "A", $"{addresses[n]}").Set($"_25._tcp.{Host(n)}", "TLSA", Tlsa(n));
        }

        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync(Lab.Probing().With("interval", "10s").With("renewal_interval", "10s"));
        var table = Path.Combine(Lab.Sandbox.Folder, "brake.table");
        await File.WriteAllLinesAsync(
            table, Enumerable.Range(0, Groups).Select(n => $"{Domain(n)} fingerprint match={_certificates[n].PublicKeyFingerprint}"),
            TestContext.Current.CancellationToken);
        await prober.Policyd.DoAsync("import", table);
        await prober.Policyd.StartAsync();
        await Until.TrueAsync("all are well", async () => await CountAsync(prober, "ok") == Groups, () => prober.Tell(null));

        var old = _certificates.Select(certificate => certificate.PublicKeyFingerprint).ToArray();
        // Every fifth, so that none of them are neighbours in any list.
        var changed = Enumerable.Range(0, Changed).Select(n => n * (Groups / Changed)).ToArray();
        foreach (var n in changed)
        {
            _certificates[n] = Lab.Certificates.SelfSigned(Host(n));
            Lab.Dns.Set($"_25._tcp.{Host(n)}", "TLSA", Tlsa(n));
        }

        await Lab.Dns.PublishAsync();
        await prober.AwaitFindingAsync("brake-on");
        await Until.TrueAsync(
            "all new keys were seen", async () => await CountAsync(prober, "mismatch") == Changed, () => prober.Tell(Domain(0)));
        foreach (var n in changed)
        {
            await prober.AwaitStateAsync(Domain(n), _certificates[n].PublicKeyFingerprint, "candidate");
            await prober.AssertAnswerAsync(Domain(n), old[n]);
        }

        Assert.Single(await prober.FindingsAsync("brake-on"));
    }

    private static string Domain(int number) => string.Create(CultureInfo.InvariantCulture, $"brake{number}.signed.test");

    private static string Host(int number) => "mx1." + Domain(number);

    private string Tlsa(int number) => "3 1 1 " + _certificates[number].PublicKeyFingerprint;

    /// <summary>How many destinations have this verdict.</summary>
    private static async Task<long> CountAsync(Prober prober, string verdict) =>
        (await prober.Policyd.JsonAsync("status")).GetProperty("store").GetProperty("verdicts").TryGetProperty(verdict, out var count)
            ? count.GetInt64()
            : 0;
}
