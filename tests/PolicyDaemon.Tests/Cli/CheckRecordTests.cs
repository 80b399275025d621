using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class CheckRecordTests
{
    private static readonly X509Certificate2 Public = TestCertificates.Issued("mx.partner.test", "mail.partner.test");
    private static readonly X509Certificate2 Own = TestCertificates.SelfSigned("mx.partner.test");

    [Theory]
    [InlineData("table")]
    [InlineData("tsv")]
    [InlineData("json")]
    public async Task A_record_leads_to_the_same_report_where_nobody_can_be_asked(string format)
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.partner.test"),
            FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.partner.test\n"));
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1", "127.0.0.2");
        network.Dns.AddHost("mta-sts.partner.test", false, "127.0.0.1");
        network.Text("_mta-sts.partner.test", "v=STSv1; id=2026;");
        network.Session.PolicyPort = policy.Port;
        var file = Path.Combine(network.Session.Directory, "partner.json");

        var live = network.Session.Run("check", key, "--record", file, "--format", format);
        Assert.Equal("", live.Error);
        using var other = new CliSession();
        var replayed = other.Run("check", "--replay", file, "--format", format);

        Assert.Equal("", replayed.Error);
        Assert.Equal(live.Out, replayed.Out);
        Assert.Equal(live.Code, replayed.Code);
        Assert.Contains("secure", replayed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_entry_and_its_pins_are_part_of_it()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Own), "--note", "by telephone");
        var file = Path.Combine(network.Session.Directory, "partner.json");
        var live = network.Session.Run("check", key, "--record", file, "--format", "tsv");
        using var other = new CliSession();
        var replayed = other.Run("check", "--replay", file, "--format", "tsv");
        Assert.Equal(live.Code, replayed.Code);
        Assert.Contains("\tpin\tmatch: ", replayed.Out.Replace(" pin\t", "\tpin\t", StringComparison.Ordinal), StringComparison.Ordinal);
        // Whether a daemon ran there, the record does not say, and a row of a table has no states.
        Assert.Equal(Rows(live.Out.Replace(", standby, ", ", active, ", StringComparison.Ordinal)), Rows(replayed.Out));

        static IEnumerable<string> Rows(string text) => text.Split('\n').Where(line => !line.Contains("\tpolicyd\t", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Mail_is_told_as_discovery_answers_it()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.partner.test"),
            FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.partner.test\n"));
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Dns.AddHost("mta-sts.partner.test", false, "127.0.0.1");
        network.Text("_mta-sts.partner.test", "v=STSv1; id=2026;");
        network.Session.PolicyPort = policy.Port;

        var waits = network.Session.Run("check", key, "--format", "table");
        Assert.Equal(ExitCode.Negative, waits.Code);
        Assert.Contains("discovery       secure: its MTA-STS policy is in force; ", waits.Out, StringComparison.Ordinal);
        Assert.Contains("entry           none: discovery answers", waits.Out, StringComparison.Ordinal);
        Assert.Contains("now             deferred at level secure", waits.Out, StringComparison.Ordinal);

        network.Session.Succeed("domain", "add", key, "--level", "encrypt");
        var entered = network.Session.Run("check", key, "--format", "table");
        Assert.Contains("the entry comes first", entered.Out, StringComparison.Ordinal);
        Assert.Contains("at level encrypt", entered.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no record of a check")]
    [InlineData("{}", "no record of a check")]
    [InlineData("null", "it is empty")]
    [InlineData("[1]", "no record of a check")]
    public void What_is_no_record_is_refused(string content, string message)
    {
        using var session = new CliSession();
        var file = session.Write("record.json", content);
        var result = session.Run("check", "--replay", file);
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Contains(file, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_member_may_be_damaged()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "encrypt");
        var file = Path.Combine(network.Session.Directory, "partner.json");
        network.Session.Run("check", key, "--record", file);
        var whole = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        foreach (var path in Paths(JsonNode.Parse(whole)!).ToList())
        {
            foreach (var value in (JsonNode?[])[null, JsonValue.Create("x"), JsonValue.Create(-1), new JsonArray(), new JsonObject()])
            {
                var damaged = JsonNode.Parse(whole)!;
                Set(damaged, path, value?.DeepClone());
                await File.WriteAllTextAsync(file, damaged.ToJsonString(), TestContext.Current.CancellationToken);
                var result = network.Session.Run("check", "--replay", file);
                Assert.True(result.Code is ExitCode.Done or ExitCode.Negative or ExitCode.Inconclusive or ExitCode.Invalid, $"{string.Join('.', path)}: {value} {result.Code} {result.Error}");
            }
        }
    }

    [Fact]
    public void One_of_a_domain_and_a_record_is_named()
    {
        using var session = new CliSession();
        Assert.Equal(ExitCode.Usage, session.Run("check").Code);
        Assert.Equal(ExitCode.Usage, session.Run("check", "example.com", "--replay", "x").Code);
        Assert.Equal(ExitCode.Usage, session.Run("check", "--replay", "x", "--record", "y").Code);
        Assert.Equal(ExitCode.Invalid, session.Run("check", "--replay", "/nowhere/x").Code);
    }

    private static IEnumerable<string[]> Paths(JsonNode node, params string[] at)
    {
        if (node is JsonObject members)
        {
            foreach (var (name, value) in members)
            {
                yield return [.. at, name];
                foreach (var below in value is null ? [] : Paths(value, [.. at, name]))
                    yield return below;
            }
        }
        else if (node is JsonArray { Count: > 0 } items && items[0] is { } first)
        {
            yield return [.. at, "0"];
            foreach (var below in Paths(first, [.. at, "0"]))
                yield return below;
        }
    }

    private static void Set(JsonNode root, string[] path, JsonNode? value)
    {
        var node = root;
        foreach (var name in path[..^1])
            node = node is JsonArray items ? items[0]! : node[name]!;
        if (node is JsonArray array)
            array[0] = value;
        else
            node[path[^1]] = value;
    }
}
