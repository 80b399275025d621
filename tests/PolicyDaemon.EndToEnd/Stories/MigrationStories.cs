using System.Security.Cryptography;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>
/// The hand-kept table with which this product began moves in: six dotted rows in a <c>hash:</c> table, SHA-1 pins, the main.cf of its
/// page. Every command but the first is taken from what the one before it printed, and mail to every partner flows all the time.
/// </summary>
public abstract class MigrationStories(Laboratory lab) : IAsyncLifetime
{
    private const string Table = "/etc/postfix/tls_policy";
    private const string OldMap = "hash:" + Table;

    // More steps than this is a person going round in circles.
    private const int MostSteps = 15;

    private static int _number;

    private readonly int number = Interlocked.Increment(ref _number);
    private readonly List<Partner> partners = [];
    private readonly CancellationTokenSource enough = new();
    private SendingPostfix author = null!; // made once the laboratory has started
    private Policyd policyd = null!;
    private Terminal terminal = null!;
    private Task? letters;

    public async ValueTask InitializeAsync()
    {
        author = new SendingPostfix(lab.Sandbox, $"author{number}");
        await SettleAsync("ferraro", "fingerprint", certificate => $"fingerprint\n    match={Colons(certificate.DigestOfPublicKey(HashAlgorithmName.SHA1))}");
        await SettleAsync("sami-lehtinen", "fingerprint", certificate => $"fingerprint\n    match={Colons(certificate.DigestOfCertificate(HashAlgorithmName.SHA1))}");
        await SettleAsync("sigmatic", "secure", _ => "secure");
        await SettleAsync("upcloud", "secure", _ => "secure");
        await SettleAsync("gmail", "encrypt", _ => "encrypt");
        await SettleAsync("trashmail", "encrypt", _ => "encrypt");
        await lab.Dns.PublishAsync();

        var own = lab.Certificates.SelfSigned("sender.plain.test");
        var files = (Certificate: Path.Combine(author.Instance.Folder, "your.crt"), Key: Path.Combine(author.Instance.Folder, "your.key"));
        await File.WriteAllTextAsync(files.Certificate, own.ChainPem);
        await File.WriteAllTextAsync(files.Key, own.KeyPem);
        File.SetUnixFileMode(files.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(
            Path.Combine(author.Instance.Configuration, "tls_policy"), string.Concat(partners.Select(partner => $"{partner.Key} {partner.Row}\n")));
        await author.StartAsync(OldMap, lab.Certificates.AuthorityFile, $$"""
            smtpd_tls_cert_file = {{files.Certificate}}
            smtpd_tls_key_file = {{files.Key}}
            smtpd_use_tls = yes
            smtpd_tls_security_level = may
            smtpd_tls_ask_ccert = yes
            smtpd_tls_received_header = yes
            smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache

            smtp_tls_cert_file = {{files.Certificate}}
            smtp_tls_key_file = {{files.Key}}
            smtp_tls_fingerprint_digest = sha1
            smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
            """);
        // Where a person finds it, and every command without -c.
        (await lab.Sandbox.RunAsync(["mount", "--bind", author.Instance.Configuration, "/etc/postfix"])).Require();
        (await lab.Sandbox.RunAsync(["postmap", OldMap])).Require();
        // The partners' one machine is busy with the mail that never ends; whoever is slow there is not absent.
        var patient = lab.Probing().With("connect_timeout", "30s").With("reply_timeout", "30s").With("handshake_timeout", "30s").With("dns_timeout", "15s");
        policyd = await lab.ProberAsync($"migration{number}", patient, withStore: false);
        terminal = await Terminal.OfAsync(lab.Sandbox, policyd, $"terminal{number}");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await enough.CancelAsync();
        if (letters is not null) await letters.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        enough.Dispose();
        await author.StopAsync();
        (await lab.Sandbox.RunAsync(["umount", "--lazy", "/etc/postfix"])).Require();
        await policyd.DisposeAsync();
    }

    [Fact]
    public async Task Each_step_prints_the_next_one_until_the_old_table_is_gone_and_no_mail_waits_meanwhile()
    {
        KeepWriting(partners);
        await WriteToAllAsync(partners);

        var steps = await WalkAsync("policyctl init", partners);

        Assert.Equal(
        [
            "policyctl init",
            "policyctl setup",
            $"policyctl import --probe --dry-run {Table}",
            $"policyctl import --probe {Table}",
            "policyctl setup",
            "policyctl setup --apply",
            $"postconf -e 'smtp_tls_policy_maps = {policyd.InetTable}' && postfix reload && policyctl setup",
        ], steps.Select(step => step.Command));
        Assert.Contains("of the 6 rows of " + OldMap + " 6 have no entry here", Folded(steps[1].Said), StringComparison.Ordinal);
        Assert.Contains("each of its 6 rows has an entry here that is enforced", Folded(steps[4].Said), StringComparison.Ordinal);
        await AssertGoneAsync();
    }

    [Fact]
    public async Task A_partner_who_is_not_there_at_the_time_keeps_the_old_table_until_his_pin_is_carried_over_and_no_mail_waits_for_it()
    {
        var absent = partners.Single(partner => partner.Name == "sami-lehtinen");
        var others = partners.Except([absent]).ToList();
        await lab.Network.DownAsync(absent.Server.IPv4);
        KeepWriting(others);

        // As far as it goes without him: he is probed, in vain.
        var steps = await WalkAsync("policyctl init", others, until: command => command.Contains("policyctl probe", StringComparison.Ordinal));
        Assert.Contains($"policyctl import --unservable observe --probe {Table}", steps.Select(step => step.Command));
        Assert.Contains("1 has an entry here that is not enforced", Folded(steps[^1].Said), StringComparison.Ordinal);
        Assert.Equal((OldMap, "sha1"), await MapsAsync());
        // Once a probe met nobody, what goes on without him is said, and no probe is the next step.
        string said = "";
        await Until.TrueAsync("he is told of", async () =>
            Folded(said = await terminal.PasteAsync("policyctl setup")).Contains($"{absent.Key}: the last probe met no server", StringComparison.Ordinal), () => said);
        Assert.Null(Terminal.Next(said));
        // Whoever does not wait changes nothing either.
        Assert.Contains("Nothing to change", await terminal.PasteAsync("policyctl setup --apply"), StringComparison.Ordinal);
        Assert.Equal((OldMap, "sha1"), await MapsAsync());

        await lab.Network.UpAsync(absent.Server.IPv4);
        // That nobody is there is remembered for some seconds (arp(7)).
        await Until.TrueAsync(
            "he is there again", async () => (await lab.Sandbox.RunAsync(["bash", "-c", $"exec 3<>/dev/tcp/{absent.Server.IPv4}/25"])).ExitCode == 0);
        await WriteToAllAsync(partners);
        steps = await WalkAsync($"policyctl probe {absent.Key}", partners);
        Assert.Contains($"policyctl domain set {absent.Key} --enforce", steps.Select(step => step.Command));
        await AssertGoneAsync();
    }

    /// <summary>Pastes a command and then whatever it and its followers name as the next one.</summary>
    /// <param name="mailTo">After each step a mail goes to these.</param>
    /// <param name="until">Which next command is not pasted any more.</param>
    private async Task<List<(string Command, string Said)>> WalkAsync(string first, IReadOnlyList<Partner> mailTo, Func<string, bool>? until = null)
    {
        var steps = new List<(string Command, string Said)>();
        for (var command = first; command is not null && until?.Invoke(terminal.Plain(command)) != true; command = Terminal.Next(steps[^1].Said))
        {
            steps.Add((terminal.Plain(command), await terminal.PasteAsync(command)));
            TestContext.Current.TestOutputHelper?.WriteLine($"$ {steps[^1].Command}\n{steps[^1].Said}");
            Assert.True(steps.Count <= MostSteps, "it does not come to an end");
            // The package starts the service as soon as it has made the store.
            if (!policyd.IsRunning) await policyd.StartAsync();
            await WriteToAllAsync(mailTo);
        }

        return steps;
    }

    private async Task AssertGoneAsync()
    {
        Assert.Equal((policyd.InetTable, "sha256"), await MapsAsync());
        var configuration = (await author.Instance.RunAsync("postconf", "-n")).Require();
        Assert.DoesNotContain("tls_policy\n", configuration, StringComparison.Ordinal);
        foreach (var file in new[] { "tls_policy", "tls_policy.db" })
            File.Delete(Path.Combine(author.Instance.Configuration, file));
        await author.Instance.ReloadAsync();
        await WriteToAllAsync(partners);
        await enough.CancelAsync();
        if (letters is not null) await letters;

        await Until.TrueAsync("everything that was written is delivered", async () =>
        {
            // What was under way at a reload is taken up again with the next run of the queue.
            (await author.Instance.RunAsync("postqueue", "-f")).Require();
            return (await author.Instance.RunAsync("postqueue", "-j")).Require().Length == 0;
        }, () => author.Log.Tail);
        var attempts = author.Attempts;
        Assert.True(attempts.Count > 8 * partners.Count, $"{attempts.Count} attempts");
        foreach (var attempt in attempts)
        {
            var partner = partners.Single(partner => attempt.Recipient.EndsWith('.' + partner.Domain, StringComparison.Ordinal));
            attempt.AssertSent(partner.Level == "encrypt" ? "Untrusted" : "Verified");
        }
    }

    private async Task<(string Maps, string Digest)> MapsAsync() =>
        (await author.Instance.ParameterAsync("smtp_tls_policy_maps"), await author.Instance.ParameterAsync("smtp_tls_fingerprint_digest"));

    /// <summary>One message to each partner, and each is delivered.</summary>
    private async Task WriteToAllAsync(IReadOnlyList<Partner> mailTo)
    {
        foreach (var (recipient, attempt) in await author.DeliverAllAsync([.. mailTo.Select(partner => partner.Recipient)]))
            Assert.True(attempt.Status == "sent", $"{recipient}:\n{attempt.Log}");
    }

    /// <summary>Writes to each partner again and again, until the story ends.</summary>
    private void KeepWriting(IReadOnlyList<Partner> mailTo) => letters = Task.Run(async () =>
    {
        while (!enough.IsCancellationRequested)
        {
            await author.SubmitAsync([.. mailTo.Select(partner => partner.Recipient)]);
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }
    });

    private async Task SettleAsync(string name, string level, Func<LabCertificate, string> row)
    {
        var domain = $"{name}{number}.{LabDns.PlainZone}";
        var (host, server) = ($"mx1.{domain}", lab.Receivers.Servers[partners.Count]);
        var certificate = level == "secure"
            ? lab.Certificates.IssuedForMany([host, domain, "staff." + domain])
            : lab.Certificates.SelfSigned(host);
        await server.PresentAsync(certificate);
        foreach (var nextHop in new[] { domain, "staff." + domain })
            lab.Dns.Set(nextHop, "MX", $"10 {host}.");
        lab.Dns.Set(host, "A", $"{server.IPv4}");
        partners.Add(new Partner(name, domain, level, row(certificate), server));
    }

    private static string Colons(string hex) => string.Join(':', hex.ToUpperInvariant().Chunk(2).Select(pair => new string(pair)));

    /// <summary>What a terminal has broken into lines, in one.</summary>
    private static string Folded(string said) => string.Join(' ', said.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Somebody to whom mail goes below his domain, as his row with a leading dot has it.</summary>
    private sealed record Partner(string Name, string Domain, string Level, string Row, ReceivingServer Server)
    {
        public string Key => "." + Domain;

        public string Recipient => $"someone@staff.{Domain}";
    }
}

[Collection(typeof(HostPostfix))]
public sealed class MigrationWithTheHostsPostfix(HostPostfixLaboratory lab) : MigrationStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class MigrationWithTheNewerPostfix(NewerPostfixLaboratory lab) : MigrationStories(lab);
