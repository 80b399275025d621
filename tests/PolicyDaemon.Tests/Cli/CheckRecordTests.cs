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
    public async Task The_time_of_the_self_test_is_that_of_the_record()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        var file = Path.Combine(network.Session.Directory, "partner.json");
        network.Session.Run("check", key, "--record", file);
        var record = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
        var at = record["at"]!.GetValue<DateTimeOffset>();
        Assert.Equal(at, record["test_at"]!.GetValue<DateTimeOffset>()); // this network's clock stands still

        async Task<DateTimeOffset> ReplayAsync()
        {
            await File.WriteAllTextAsync(file, record.ToJsonString(), TestContext.Current.CancellationToken);
            using var other = new CliSession();
            return JsonNode.Parse(other.Run("check", "--replay", file, "--format", "json").Out)!["resolver"]!["self_test_at"]!.GetValue<DateTimeOffset>();
        }

        record["test_at"] = at.AddMinutes(-20);
        Assert.Equal(at.AddMinutes(-20), await ReplayAsync());
        record.AsObject().Remove("test_at"); // as older versions wrote it
        Assert.Equal(at, await ReplayAsync());
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
    [InlineData("encrypt")]
    [InlineData("dane-only")]
    public async Task Below_the_floor_of_an_entry_mail_waits_whatever_the_servers_offer(string floor)
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "discovered");
        Assert.DoesNotContain("policyd answers a temporary error", network.Session.Run("check", key).Out, StringComparison.Ordinal);
        network.Session.Succeed("domain", "set", key, "--floor", floor);
        var file = Path.Combine(network.Session.Directory, "partner.json");

        var live = network.Session.Run("check", key, "--record", file);
        using var other = new CliSession();
        var replayed = other.Run("check", "--replay", file);

        Assert.Contains(
            $"{key}\tmail\tdeferred (4.7.5) and tried again until it is returned: policyd answers a temporary error; the entry takes no less than {floor} (--floor), and discovery finds not-found\n",
            live.Out, StringComparison.Ordinal);
        Assert.Contains($"{key}\tresults\tdeferred\n", live.Out, StringComparison.Ordinal);
        Assert.Contains($"; the entry takes no less than {floor}\n", live.Out, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Negative, ExitCode.Negative), (live.Code, replayed.Code));
        Assert.Contains("and discovery finds not-found\n", replayed.Out, StringComparison.Ordinal);
        Assert.Contains("(temporary error", network.Session.Run("explain", key).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_discovery_an_entry_with_a_floor_lets_mail_wait()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "discovered", "--floor", "secure");
        var result = network.Session.Run("check", key);
        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("the entry takes no less than secure (--floor), and discovery is not on (mode in [discovery])\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_for_everybody_answers_where_it_is_stricter_than_what_is_found()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Serve(FakeSmtpConnection.Polite(() => Own), "127.0.0.1");
        network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", "*", "--level", "encrypt");
        var file = Path.Combine(network.Session.Directory, "partner.json");

        var live = network.Session.Run("check", "partner.test", "--record", file);
        using var other = new CliSession();
        var replayed = other.Run("check", "--replay", file);

        foreach (var output in (string[])[live.Out, replayed.Out])
        {
            Assert.Contains("partner.test\tentry\t*: encrypt\n", output, StringComparison.Ordinal);
            Assert.Contains("; the entry * is stricter\n", output, StringComparison.Ordinal);
        }

        // A parent's entry comes before both.
        network.Session.Succeed("domain", "add", ".test", "--level", "secure");
        Assert.Contains("partner.test\tentry\t.test: secure\n", network.Session.Run("check", "partner.test").Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_cannot_be_served_lets_mail_wait()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Own));
        Assert.Equal(ExitCode.Done, network.Session.Run("check", key).Code);
        var config = await File.ReadAllTextAsync(network.Session.Config, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            network.Session.Config, config.Replace("[postfix]\n", "[postfix]\nfingerprint_digest = sha512\n", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var result = network.Session.Run("check", key);

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains($"{key}\tmail\tdeferred (4.7.5) and tried again until it is returned: policyd answers a temporary error; ", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_near_miss_that_waits_is_said_to_wait()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: "near_miss = temp\n");
        network.Serve(Own);
        network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", "[partner.test]", "--level", "encrypt");
        var result = network.Session.Run("check", "partner.test");
        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("policyd answers a temporary error; the key is not configured, its host is in another form (near_miss = temp); policyctl explain partner.test", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ttl", "1e12", "no duration in seconds")]
    [InlineData("ttl", "9e11")]
    [InlineData("ttl", "-1")]
    [InlineData("at", "\"9999-12-31T23:59:59+00:00\"")]
    [InlineData("at", "\"0001-01-01T00:00:00+00:00\"")]
    public async Task An_answer_with_an_impossible_time_is_refused(
        string member, string value, string reason = "the answer for MX of partner.test in it has a TTL or a time that is out of the question")
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        var file = Path.Combine(network.Session.Directory, "partner.json");
        network.Session.Run("check", key, "--record", file);
        var record = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
        record["answers"]![0]![member] = JsonNode.Parse(value);
        await File.WriteAllTextAsync(file, record.ToJsonString(), TestContext.Current.CancellationToken);
        var result = network.Session.Run("check", "--replay", file);
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"{file}: no record of a check: {reason}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_has_no_note_and_a_directory_that_is_not_there_is_said_before_anybody_is_asked()
    {
        await using var network = new ProbedNetwork();
        var server = network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "encrypt", "--note", "their password is secret123");
        var missing = Path.Combine(network.Session.Directory, "nowhere", "partner.json");

        var refused = network.Session.Run("check", key, "--record", missing);
        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains($"{missing}: there is no directory ", refused.Error, StringComparison.Ordinal);
        Assert.Equal("", refused.Out);
        Assert.Equal(0, server.Connections);

        var file = Path.Combine(network.Session.Directory, "partner.json");
        network.Session.Run("check", key, "--record", file);
        Assert.DoesNotContain("secret123", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no record of a check: it is no valid JSON: in line 1, character 1, it ends too early")]
    [InlineData("root:x:0:0\n", "no record of a check: it is no valid JSON: in line 1, character 1, 'r' cannot stand;")]
    [InlineData("{}", "no record of a check: it lacks what a record has, or has something else in its place;")]
    [InlineData("null", "it is empty")]
    [InlineData("[1]", "no record of a check: it is no JSON object;")]
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
