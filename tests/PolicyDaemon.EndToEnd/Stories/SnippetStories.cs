using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Every file of <c>postfix-snippets</c>, exactly as it is shipped, makes a Postfix that delivers by our policies.</summary>
public abstract class SnippetStories(Laboratory lab) : ServedStories(lab)
{
    // What emergency-table.cf reads; the laboratory's /etc/postfix is its own.
    private const string EmergencyTable = "/etc/postfix/tls_policy.emergency";

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Repository.Snippets, "*.cf").Select(file => Path.GetFileName(file)!).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Postfix_takes_the_lines_and_delivers_by_our_policy(string file)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Repository.Snippets, file), TestContext.Current.CancellationToken);
        Assert.SkipWhen(lines.Contains("# requires: 3.10") && !Lab.IsNewer, "for a newer Postfix");
        string[] settings = [.. lines.Where(line => line.Length > 0 && line[0] != '#')];
        Assert.NotEmpty(settings);

        var destination = await Destination.CreateAsync(Lab, $"snippet-{Path.GetFileNameWithoutExtension(file).Replace('_', '-')}.plain.test", Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        await PinAsync(destination.Domain, certificate.PublicKeyFingerprint);
        await Policyd.DoAsync("export", EmergencyTable);

        var mainCf = Path.Combine(Sender.Instance.Configuration, "main.cf");
        var before = await File.ReadAllTextAsync(mainCf, TestContext.Current.CancellationToken);
        try
        {
            await Sender.Instance.ConfigureAsync(settings);
            // A misspelt parameter is a warning here and nowhere else.
            var check = await Sender.Instance.RunAsync("postconf", "-n");
            Assert.Equal("", check.Error);
            foreach (var setting in settings) Assert.Contains(setting, check.Output.Split('\n'));
            await Sender.Instance.ReloadAsync();

            // As Postfix' user in the queue directory, where smtp(8) stands when it asks.
            var map = await Sender.Instance.ParameterAsync("smtp_tls_policy_maps");
            var answer = await Lab.Sandbox.RunAsync(
                ["env", "--chdir=" + Sender.Instance.Queue, "setpriv", "--reuid=postfix", "--regid=postfix", "--clear-groups",
                    "postmap", "-c", Sender.Instance.Configuration, "-q", destination.Domain, map]);
            Assert.Equal($"fingerprint match={certificate.PublicKeyFingerprint}\n", answer.Require());

            (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
            await Servers[0].PresentAsync(Lab.Certificates.SelfSigned(destination.MxHosts[0]));
            (await Sender.DeliverAsync(destination.User)).AssertDeferred("4.7.5", "Server certificate not verified");
        }
        finally
        {
            await File.WriteAllTextAsync(mainCf, before, CancellationToken.None);
            PostfixInstance.Settle(mainCf);
            await Sender.Instance.ReloadAsync();
        }
    }
}

[Collection(typeof(HostPostfix))]
public sealed class SnippetsWithTheHostsPostfix(HostPostfixLaboratory lab) : SnippetStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class SnippetsWithTheNewerPostfix(NewerPostfixLaboratory lab) : SnippetStories(lab);
