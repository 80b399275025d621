using System.Text.Json;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What a finding prints is pasted into bash and zsh, in a folder whose files match its brackets, and does what it says.</summary>
[Collection(typeof(Probing))]
public sealed class RemedyStories(ProbingLaboratory lab) : ProberStories(lab)
{
    private static readonly string[] Shells = ["bash", "zsh"];

    [Fact]
    public async Task New_keys_are_shown_by_what_is_pasted_and_approved_by_their_fingerprints_behind_it()
    {
        foreach (var shell in Shells)
        {
            var domain = $"{shell}.plain.test";
            var (one, two) = (Lab.Certificates.SelfSigned("mx1." + domain), Lab.Certificates.SelfSigned("mx1." + domain));
            var (first, second) = (one, one);
            var servers = (await ServerAsync(Scripts.Good(() => first)), await ServerAsync(Scripts.Good(() => second)));
            var key = $"[{Mail(domain, servers.Item1, servers.Item2)}]";
            await Lab.Dns.PublishAsync();
            var prober = await ProberAsync();
            await prober.PinAsync(key, [one.PublicKeyFingerprint]);
            await prober.Policyd.StartAsync();
            await prober.AwaitVerdictAsync(key, "ok");

            var other = Lab.Certificates.SelfSigned("mx1." + domain);
            (first, second) = (two, other);
            string[] keys = [two.PublicKeyFingerprint, other.PublicKeyFingerprint];
            await Until.TrueAsync(
                "both keys are shown", async () =>
                {
                    var shown = await PasteAsync(prober, shell, Remedy(await prober.AwaitFindingAsync("new-key", key)));
                    Assert.True(shown.ExitCode == 1, $"{shown}");
                    return keys.All(fingerprint => $"{shown}".Contains(fingerprint, StringComparison.OrdinalIgnoreCase));
                },
                () => prober.Tell(key));
            var pasted = await PasteAsync(prober, shell, $"{Remedy(await prober.AwaitFindingAsync("new-key", key))} {string.Join(' ', keys)}");
            Assert.True(pasted.ExitCode == 0, $"{pasted}");
            await prober.AwaitNoFindingAsync("new-key", key);
            await prober.AwaitVerdictAsync(key, "ok");
            await prober.Policyd.StopAsync();
        }
    }

    [Fact]
    public async Task Where_an_attack_is_not_excluded_what_is_pasted_looks_and_speaks_of_it()
    {
        const string Hijacked = "hijacked.plain.test", Stale = "stale.signed.test", Plain = "gone.plain.test", Rejected = "rejected.plain.test";
        var genuine = Lab.Certificates.SelfSigned("mx1.plain.test");
        var (stale, rejected, attacker) = (genuine, genuine, Lab.Certificates.SelfSigned("mx.evil.test"));
        var plain = await ServerAsync(Scripts.Good(() => genuine));
        Mail(Hijacked, await ServerAsync(Scripts.Good(() => genuine)));
        var host = Mail(Stale, await ServerAsync(Scripts.Good(() => stale)));
        Lab.Dns.Set($"_25._tcp.{host}", "TLSA", $"3 1 1 {genuine.PublicKeyFingerprint}");
        Mail(Plain, plain);
        Mail(Rejected, await ServerAsync(Scripts.Good(() => rejected)));
        var evil = await ServerAsync(Scripts.Good(() => attacker));
        await Lab.Dns.PublishAsync();
        var prober = await ProberAsync(Lab.Probing().With("brake_least", "100"));
        foreach (var domain in new[] { Hijacked, Stale, Plain, Rejected })
            await prober.PinAsync(domain, [genuine.PublicKeyFingerprint]);
        await prober.Policyd.DoAsync("pin", "reject", Rejected, attacker.PublicKeyFingerprint, "--reason", "stolen");
        await prober.Policyd.StartAsync();
        foreach (var domain in new[] { Hijacked, Stale, Plain, Rejected })
            await prober.AwaitVerdictAsync(domain, "ok");

        Lab.Dns.Set(Hijacked, "MX", "10 mx.evil.plain.test.").Set("mx.evil.plain.test", "A", $"{evil.Address}");
        await Lab.Dns.PublishAsync();
        (stale, rejected) = (Lab.Certificates.SelfSigned("mx1." + Stale), attacker);
        plain.Behave(Scripts.WithoutStartTls);
        foreach (var (kind, domain) in new[]
            { ("mx-set-replaced", Hijacked), ("tlsa-mismatch", Stale), ("starttls-gone", Plain), ("rejected-key-seen", Rejected) })
        {
            var remedy = Remedy(await prober.AwaitFindingAsync(kind, domain));
            foreach (var shell in Shells)
            {
                var looked = await PasteAsync(prober, shell, remedy);
                Assert.True(looked.ExitCode == 1, $"{looked}");
                Assert.Contains(kind, looked.Output, StringComparison.Ordinal);
                Assert.DoesNotContain("pin approve", looked.Output, StringComparison.Ordinal);
            }
        }

        foreach (var (verb, pin) in new[] { ("approve", attacker.PublicKeyFingerprint), ("revoke", genuine.PublicKeyFingerprint) })
            Assert.Equal(2, (await prober.Policyd.CtlAsync("pin", verb, Hijacked, pin)).ExitCode);
        await prober.AssertAnswerAsync(Hijacked, genuine.PublicKeyFingerprint);
    }

    private static string Remedy(JsonElement finding) => finding.GetProperty("remedy").GetString()!;

    /// <summary>Runs a line in a shell as somebody who pasted it there, among files that match <c>[mx1.bash.plain.test]</c>.</summary>
    private async Task<CommandResult> PasteAsync(Prober prober, string shell, string line)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Lab.Sandbox.Folder, "paste")).FullName;
        foreach (var name in "mx1bashplinte")
            await File.WriteAllTextAsync(Path.Combine(folder, $"{name}"), "", TestContext.Current.CancellationToken);
        var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
        var program = Path.Combine(bin, "policyctl");
        await File.WriteAllTextAsync(
            program, $"#!/bin/sh\nexec {Path.Combine(Lab.Sandbox.Folder, "bin", "policyctl")} --config {prober.Policyd.ConfigurationFile} \"$@\"\n",
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return await Lab.Sandbox.RunAsync(["env", "-C", folder, $"PATH={bin}:/usr/bin:/bin", shell, "-c", line]);
    }
}
