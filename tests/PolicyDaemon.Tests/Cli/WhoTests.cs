using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class WhoTests
{
    private static readonly X509Certificate2 Own = TestCertificates.SelfSigned("mx.partner.test");

    [Fact]
    public async Task The_entries_behind_a_server_are_found_by_what_a_log_shows()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        var one = network.Domain("one.test", "mx.partner.test", false, "127.0.0.1");
        var two = network.Domain("two.test", "mx.partner.test", false, "127.0.0.1");
        foreach (var key in (string[])[one, two])
            network.Session.Succeed("domain", "add", key, "--level", "encrypt");
        network.Session.Run("probe", one, two);

        foreach (var word in (string[])["mx.partner.test", "127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"mx.partner.test[127.0.0.1]:{network.Port}"), "[127.0.0.1]:25"])
        {
            var rows = network.Session.Succeed("who", word).Trim().Split('\n').Select(line => line.Split('\t')).ToList();
            Assert.Equal([one, two], rows.Select(row => row[0]));
            Assert.All(rows, row => Assert.Equal(("encrypt", "mx.partner.test", "yes", "ok"), (row[1], row[2], row[4], row[5])));
        }

        Assert.Equal(ExitCode.Negative, network.Session.Run("who", "127.0.0.10").Code);
        Assert.Equal(ExitCode.Negative, network.Session.Run("who", "nobody@nowhere.test").Code);

        // Several stand behind it, and a person means one.
        var several = network.Session.Run("check", "mx.partner.test[127.0.0.1]:25");
        Assert.Equal(ExitCode.Usage, several.Code);
        Assert.Contains($"concerns 2 destinations: {one}, {two}; name one of them, or see all: policyctl who 'mx.partner.test[127.0.0.1]:25'", several.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipient_and_a_message_lead_to_the_entry_that_decides()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".example.com", "--level", "encrypt");
        session.Succeed("domain", "add", "partner.example", "--level", "encrypt");
        session.Postfix.Text = new PostconfText(("maximal_queue_lifetime", "5d"));
        session.Postfix.Waiting = [string.Create(CultureInfo.InvariantCulture,
            $$"""{"queue_name": "deferred", "queue_id": "4bQ1xyz", "arrival_time": {{session.Time.GetUtcNow().AddHours(-1).ToUnixTimeSeconds()}}, "recipients": [{"address": "x@partner.example", "delay_reason": "no TLS"}]}""")];

        Assert.StartsWith(".example.com\tencrypt\t-\t-\t-\t", session.Succeed("who", "user@a.example.com"), StringComparison.Ordinal);
        foreach (var word in (string[])["4bQ1xyz", "4bQ1xyz:", "4bQ1xyz*"])
            Assert.Equal("partner.example\tencrypt\t-\t-\t-\t-\t1\n", session.Succeed("who", word));

        Assert.StartsWith("a.example.com\t", session.Run("explain", "user@a.example.com").Out, StringComparison.Ordinal);
        var explained = session.Run("explain", "4bQ1xyz", "--format", "table").Out;
        Assert.Contains("1 mail waits since 2026-11-23T11:00:00Z, and the first is returned at 2026-11-28T11:00:00Z: no TLS", explained, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Run("explain", "partner.example", "--format", "json").Out);
        Assert.Equal(1, json.RootElement.GetProperty("waiting").GetProperty("messages").GetInt64());
        Assert.Equal("no TLS", json.RootElement.GetProperty("waiting").GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("mx.nowhere.test", "No entry stands behind mx.nowhere.test, as far as probes have seen.")]
    [InlineData("user@nowhere.test", "No entry answers for mail to nowhere.test.")]
    [InlineData("user@[192.0.2.9]", "No entry answers for mail to [192.0.2.9].")]
    public void That_there_is_none_is_said_in_a_pipe_too(string word, string said)
    {
        using var session = new CliSession();

        var (piped, shown) = (session.Run("who", word), session.Run("who", word, "--format", "table"));

        Assert.Equal((ExitCode.Negative, "", true), (piped.Code, piped.Out, piped.Error.Contains(said, StringComparison.Ordinal)));
        Assert.Contains(said, shown.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_entry_that_decides_is_named_and_not_one_that_is_only_observed()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "partner.example", "--level", "encrypt", "--observe");
        Assert.StartsWith("partner.example\tencrypt\t", session.Succeed("who", "user@partner.example"), StringComparison.Ordinal);
        session.Succeed("domain", "add", "*", "--level", "encrypt");
        Assert.StartsWith("*\tencrypt\t", session.Succeed("who", "user@partner.example"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_waits_is_unknown_where_the_queue_does_not_tell()
    {
        using var session = new CliSession();
        foreach (var key in (string[])["partner.example", "relay.example:587"])
            session.Succeed("domain", "add", key, "--level", "encrypt");
        session.Postfix.Waiting = [];
        Assert.Equal("partner.example\tencrypt\t-\t-\t-\t-\t0\n", session.Succeed("who", "user@partner.example"));
        Assert.Equal("relay.example:587\tencrypt\t-\t-\t-\t-\t-\n", session.Succeed("who", "relay.example:587"));
        session.Postfix.IsWholeQueue = false;
        Assert.Equal("partner.example\tencrypt\t-\t-\t-\t-\t-\n", session.Succeed("who", "user@partner.example"));
    }

    [Fact]
    public void A_message_to_no_destination_at_all_is_said_so()
    {
        using var session = new CliSession();
        session.Postfix.Waiting = ["""{"queue_name": "deferred", "queue_id": "4bQ1xyz", "arrival_time": 1795961977, "recipients": [{"address": "x@bad..domain"}]}"""];
        var result = session.Run("explain", "4bQ1xyz");
        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains("the message 4bQ1xyz waits for recipients whose domains are no destinations; see them with: postqueue -p", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4F2A91C03B")]
    [InlineData("4bQ1xyzK2Mz1pQ")]
    public void The_id_of_a_message_is_no_host_where_the_queue_cannot_be_read(string id)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "*", "--level", "encrypt");

        foreach (var verb in (string[])["who", "explain", "status", "check"])
        {
            var result = session.Run(verb, id);
            Assert.Equal((ExitCode.Inconclusive, ""), (result.Code, result.Out));
            Assert.StartsWith($"policyctl: {id} looks like the id of a message, and the queue cannot be read here", result.Error, StringComparison.Ordinal);
        }

        session.Postfix.Waiting = [];
        var gone = session.Run("who", id);
        Assert.Equal(ExitCode.Negative, gone.Code);
        Assert.Contains("none with it waits in the queue", gone.Error, StringComparison.Ordinal);
        session.Postfix.IsWholeQueue = false;
        Assert.Equal(ExitCode.Inconclusive, session.Run("who", id).Code);
    }

    [Theory]
    [InlineData("EXCHANGE01", true)]
    [InlineData("localhost", false)]
    [InlineData("mailserver", false)]
    public void A_host_without_a_domain_is_one(string host, bool isEntry)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", isEntry ? host : "*", "--level", "encrypt");

        Assert.StartsWith(isEntry ? "exchange01\tencrypt" : "*\tencrypt", session.Succeed("who", host), StringComparison.Ordinal);
    }
}
