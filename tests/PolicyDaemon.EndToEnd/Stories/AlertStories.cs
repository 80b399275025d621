using System.Collections.Concurrent;
using System.Text.Json;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>A mismatch reaches a person by a command and a webhook: once, and once more when it is over.</summary>
[Collection(typeof(Probing))]
public sealed class AlertStories(ProbingLaboratory lab) : ProberStories(lab)
{
    [Fact]
    public async Task The_alert_command_and_the_webhook_are_called_once_for_a_finding_and_once_for_its_end()
    {
        const string Domain = "alerts.plain.test";
        var real = Lab.Certificates.SelfSigned("mx1." + Domain);
        var certificate = real;
        var server = await ServerAsync(Scripts.Good(() => certificate));
        Mail(Domain, server);
        await Lab.Dns.PublishAsync();
        var posts = new ConcurrentQueue<string>();
        // The receiver of the webhook fails the first time: it is tried again.
        var failures = 1;
        var receiver = Keep(new ScriptedServer(
            Lab.Sandbox, (await Lab.Network.MoreAsync(1))[0], Scripts.WebHook(posts, () => Interlocked.Decrement(ref failures) >= 0), port: 80));

        var folder = Directory.CreateDirectory(Path.Combine(Lab.Sandbox.Folder, "alerts")).FullName;
        var script = Path.Combine(folder, "alert");
        await File.WriteAllTextAsync(script, $"""
            #!/bin/sh
            file=$(mktemp {folder}/call.XXXXXX)
            ( env | grep ^POLICYDAEMON_; cat ) >"$file"
            mv "$file" "$file.done"

            """, TestContext.Current.CancellationToken);
        foreach (var open in new[] { folder, script })
        {
            File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
                | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        }

        var prober = await ProberAsync(Lab.Probing().With("alert_command", script).With("alert_webhook", $"http://{receiver.Address}/hook"));
        await prober.PinAsync(Domain, [real.PublicKeyFingerprint]);
        await prober.Policyd.StartAsync();
        await prober.AwaitVerdictAsync(Domain, "ok");

        certificate = Lab.Certificates.SelfSigned("mx1." + Domain);
        await prober.AwaitFindingAsync("new-key", Domain);
        await Until.TrueAsync("the command was called", () => Task.FromResult(Calls("new-key").Length == 1), () => prober.Tell(Domain));
        await Until.TrueAsync("the webhook was called", () => Task.FromResult(Posts("new-key").Length == 1), () => prober.Tell(Domain));
        foreach (var said in new[] { Calls("new-key")[0], Posts("new-key")[0] })
        {
            Assert.Contains(Domain, said, StringComparison.Ordinal);
            Assert.Contains(real.PublicKeyFingerprint, said, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(certificate.PublicKeyFingerprint, said, StringComparison.OrdinalIgnoreCase);
        }

        // The finding is seen again and again, and not said again.
        await Prober.AwaitProbesAsync(server, 4);
        Assert.Single(Calls("new-key"));
        Assert.Single(Posts("new-key"));

        certificate = real;
        await prober.AwaitNoFindingAsync("new-key", Domain);
        await Until.TrueAsync("the command was called again", () => Task.FromResult(Calls("new-key").Length == 2), () => prober.Tell(Domain));
        await Until.TrueAsync("the webhook was called again", () => Task.FromResult(Posts("new-key").Length == 2), () => prober.Tell(Domain));
        await Prober.AwaitProbesAsync(server, 2);
        Assert.Equal(2, Calls("new-key").Length);
        Assert.Equal(2, Posts("new-key").Length);

        string[] Calls(string kind) =>
        [
            .. Directory.EnumerateFiles(folder, "call.*.done").Select(File.ReadAllText)
                .Where(call => call.Split('\n').Contains($"POLICYDAEMON_KIND={kind}")),
        ];

        string[] Posts(string kind) => [.. posts.Where(post => Prober.All(JsonElement.Parse(post), "kind").Any(k => k.GetString() == kind))];
    }
}
