using System.Security.Cryptography;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>How pins come in: fetched by <c>domain add --probe</c>, converted from an old table, watched before they are enforced.</summary>
[Collection(typeof(Probing))]
public sealed class AdmissionStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task Domain_add_with_probe_stores_what_the_evidence_allows_and_nothing_else()
    {
        var certificates = new Dictionary<string, LabCertificate>();
        foreach (var domain in new[] { "evidence.signed.test", "none.plain.test", "expected.plain.test", "sight.plain.test" })
        {
            certificates[domain] = Lab.Certificates.SelfSigned("mx1." + domain);
            Mail(domain, await ServerAsync(Scripts.Good(() => certificates[domain])));
        }

        Lab.Dns.Set("_25._tcp.mx1.evidence.signed.test", "TLSA", $"3 1 1 {certificates["evidence.signed.test"].PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.Policyd.StartAsync();

        // Evidence A: --yes is enough.
        await ProbeAsync(prober, "evidence.signed.test", "--yes");
        await AssertAddedAsync("evidence.signed.test", "dane");

        // Without evidence it is not, whatever is shown.
        var refused = await prober.Policyd.CtlAsync(["domain", "add", "none.plain.test", "--level", "fingerprint", "--probe", "--yes"]);
        Assert.True(refused.ExitCode is 1 or 6, $"{refused}");
        Assert.Contains(certificates["none.plain.test"].PublicKeyFingerprint, Hex(refused.Output + refused.Error), StringComparison.Ordinal);
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync("none.plain.test"));

        // A person knows the fingerprint from elsewhere; another key at the server is a no.
        var expected = certificates["expected.plain.test"].PublicKeyFingerprint;
        var wrong = await prober.Policyd.CtlAsync(
            ["domain", "add", "expected.plain.test", "--level", "fingerprint", "--probe", "--expect", new string('a', 64)]);
        Assert.True(wrong.ExitCode == 1, $"{wrong}");
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync("expected.plain.test"));
        await ProbeAsync(prober, "expected.plain.test", "--expect", expected);
        await AssertAddedAsync("expected.plain.test", "person");

        // First sight needs a reason, and shows for ever what it rests on.
        var unexplained = await prober.Policyd.CtlAsync(
            ["domain", "add", "sight.plain.test", "--level", "fingerprint", "--probe", "--trust-first-sight"]);
        Assert.True(unexplained.ExitCode is 2 or 5, $"{unexplained}");
        await ProbeAsync(prober, "sight.plain.test", "--trust-first-sight", "--reason", "a new partner, to be confirmed by phone");
        await AssertAddedAsync("sight.plain.test", "tofu");

        // What names under a leading dot have in common is known to the administrator only.
        await ProbeAsync(
            prober, ".sight.plain.test", "--probe-as", "mx1.sight.plain.test", "--trust-first-sight", "--reason", "the same servers");
        await prober.AwaitAnswerAsync(".sight.plain.test", certificates["sight.plain.test"].PublicKeyFingerprint);
        await prober.AwaitVerdictAsync(".sight.plain.test", "ok");

        async Task AssertAddedAsync(string domain, string strength)
        {
            await prober.AwaitAnswerAsync(domain, certificates[domain].PublicKeyFingerprint);
            Assert.Equal(strength, await prober.StrengthAsync(domain, certificates[domain].PublicKeyFingerprint));
            await prober.AwaitVerdictAsync(domain, "ok");
        }
    }

    [Fact]
    public async Task A_sha_1_pin_of_an_old_table_is_converted_by_the_probe_that_sees_its_certificate()
    {
        const string Domain = "sha1.plain.test";
        var certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        var server = await ServerAsync(Scripts.Good(() => certificate));
        Mail(Domain, server);
        await Lab.Dns.PublishAsync();
        var table = Path.Combine(Lab.Sandbox.Folder, "sha1.table");
        await File.WriteAllTextAsync(
            table, $"{Domain} fingerprint match={certificate.DigestOfCertificate(HashAlgorithmName.SHA1)}\n", TestContext.Current.CancellationToken);
        var prober = await ProberAsync();
        await prober.Policyd.DoAsync("import", "--unservable", "observe", table);
        await prober.Policyd.StartAsync();

        await prober.AwaitStateAsync(Domain, certificate.Fingerprint, "active");
        // The key that survives the next renewal is proposed beside the certificate.
        await prober.AwaitStateAsync(Domain, certificate.PublicKeyFingerprint, "candidate");
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync(Domain));
        await prober.Policyd.DoAsync("domain", "set", Domain, "--enforce");
        await prober.AwaitAnswerAsync(Domain, certificate.Fingerprint);
    }

    [Fact]
    public async Task An_old_table_of_sha_1_pins_is_carried_over_by_its_import_where_the_servers_prove_them()
    {
        var server = Lab.Receivers.Servers[1];
        var destination = await Destination.CreateAsync(Lab, "carried.plain.test", server);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(certificate);
        var prober = await ProberAsync();
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        var sha1 = certificate.DigestOfCertificate(HashAlgorithmName.SHA1);
        var proven = await TableAsync("proven", $"{destination.Domain} fingerprint match={sha1.ToUpperInvariant()}");
        var strange = await TableAsync("strange", $"{destination.Domain} fingerprint match={new string('d', 40)}");

        // All or nothing: what the server does not prove, it does not get by asking it.
        var refused = await prober.Policyd.CtlAsync("import", "--probe", strange);
        Assert.True(refused.ExitCode == 5, $"{refused}");
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync(destination.Domain));

        await prober.Policyd.DoAsync("import", "--probe", proven);
        await prober.AwaitAnswerAsync(destination.Domain, certificate.Fingerprint);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");

        async Task<string> TableAsync(string name, string line)
        {
            var file = Path.Combine(Lab.Sandbox.Folder, name + ".table");
            await File.WriteAllTextAsync(file, line + "\n", TestContext.Current.CancellationToken);
            return file;
        }
    }

    [Fact]
    public async Task An_observed_entry_is_not_enforced_and_status_says_what_enforcing_it_would_do()
    {
        const string Domain = "observed.plain.test";
        var certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        Mail(Domain, await ServerAsync(Scripts.Good(() => certificate)));
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.PinAsync(Domain, [new string('b', 64)], "--observe");
        await prober.Policyd.StartAsync();

        await prober.AwaitVerdictAsync(Domain, "mismatch");
        Assert.Equal("NOTFOUND ", await prober.AnswerAsync(Domain));
        var status = (await prober.Policyd.JsonAsync("status")).GetProperty("store");
        Assert.Equal(1, status.GetProperty("observed_verdicts").GetProperty("mismatch").GetInt64());
        Assert.False(status.GetProperty("verdicts").TryGetProperty("mismatch", out var enforced) && enforced.GetInt64() > 0);
        var told = await prober.Policyd.DoAsync("status", "--all");
        Assert.Contains(told.Split('\n'), line =>
            line.Contains("observed", StringComparison.Ordinal) && line.Contains("mismatch", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Check_tells_of_a_stranger_what_would_deliver_and_of_an_entry_whether_it_does()
    {
        var (stranger, known) = ("stranger.signed.test", "known.plain.test");
        var certificate = Lab.Certificates.Issued("mx1." + stranger);
        var other = Lab.Certificates.SelfSigned("mx1." + known);
        var host = Mail(stranger, await ServerAsync(Scripts.Good(() => certificate)));
        Mail(known, await ServerAsync(Scripts.Good(() => other)));
        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync();
        await prober.PinAsync(known, [new string('c', 64)]);

        // The daemon does not run, and nothing is stored.
        var report = await prober.Policyd.CtlAsync("check", stranger);
        Assert.True(report.ExitCode == 0, $"{report}");
        Assert.Contains(host, report.Output, StringComparison.Ordinal);
        Assert.Contains("dane", report.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("policyctl domain add", report.Output, StringComparison.Ordinal);
        Assert.Contains("delivered", report.Output, StringComparison.Ordinal);
        var json = await prober.Policyd.JsonAsync("check", stranger);
        Assert.Contains(certificate.PublicKeyFingerprint, $"{json}", StringComparison.Ordinal);
        Assert.Equal(1, (await prober.Policyd.CtlAsync("domain", "show", stranger)).ExitCode);

        var mismatch = await prober.Policyd.CtlAsync("check", known);
        Assert.True(mismatch.ExitCode == 1, $"{mismatch}");
        Assert.Contains("deferred", mismatch.Output, StringComparison.Ordinal);
        // Expected beside seen.
        Assert.Contains(new string('c', 64), Hex(mismatch.Output), StringComparison.Ordinal);
        Assert.Contains(other.PublicKeyFingerprint, Hex(mismatch.Output), StringComparison.Ordinal);

        // To Postfix and its validating resolver a bogus domain is one that cannot be looked up: its mail waits.
        var bogus = await prober.Policyd.CtlAsync("check", LabDns.BogusZone);
        Assert.True(bogus.ExitCode == 1 && bogus.Output.Contains("bogus", StringComparison.OrdinalIgnoreCase), $"{bogus}");
    }

    [Fact]
    public async Task A_deferred_mail_makes_an_old_probe_due_and_the_finding_is_there_while_the_mail_waits()
    {
        var server = Lab.Receivers.Servers[0];
        var destination = await Destination.CreateAsync(Lab, "due.plain.test", server);
        var old = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await server.PresentAsync(old);
        var prober = await ProberAsync(Lab.Probing().With("interval", "1h").With("renewal_interval", "1h").With("candidate_interval", "1h"));
        await prober.PinAsync(destination.Domain, [old.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        await prober.AwaitVerdictAsync(destination.Domain, "ok");

        await server.PresentAsync(Lab.Certificates.SelfSigned(destination.MxHosts[0]));
        // A second after the first probe it is old enough (lookup_staleness); the last of these deliveries comes after that.
        await Until.TrueAsync("a delivery made a probe due", async () =>
        {
            (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
            return (await prober.FindingsAsync("new-key", destination.Domain)).Count > 0;
        }, () => prober.Tell(destination.Domain));
    }

    private static Task<string> ProbeAsync(Prober prober, string key, params string[] options) =>
        prober.Policyd.DoAsync(["domain", "add", key, "--level", "fingerprint", "--probe", .. options]);

    /// <summary>Fingerprints as policyctl compares them: without colons, in lower case.</summary>
    private static string Hex(string text) => text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
}
