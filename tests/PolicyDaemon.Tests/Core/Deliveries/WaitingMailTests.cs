using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Deliveries;

/// <summary>What is counted of Postfix's queue, and what is not known of it.</summary>
public sealed class WaitingMailTests
{
    [Fact]
    public void The_output_is_read_wherever_it_is_cut()
    {
        var output = Encoding.UTF8.GetBytes($"{Mail("a@one.example", "b@two.example")}\n{Mail("c@one.example")}\r\n\n{Mail("ü@three.example")}");
        for (var cut = 0; cut <= output.Length; cut++)
        {
            var reader = new WaitingMailReader(null);
            reader.Take(output.AsSpan(0, cut));
            reader.Take(output.AsSpan(cut));
            var mail = reader.End(isWhole: true);
            Assert.True(mail.IsWhole);
            Assert.Equal((3, 2L, 1L, 1L), (mail.Messages, mail.MessagesOf(Key("one.example")), mail.MessagesOf(Key("two.example")), mail.MessagesOf(Key("three.example"))));
        }
    }

    [Fact]
    public void A_message_to_several_domains_is_one_message()
    {
        var mail = WaitingMail.Read([Mail("a@one.example", "b@two.example"), Mail("c@one.example"), Mail("d@x.two.example")], true, null);

        Assert.Equal(2, mail.Of([Key("one.example"), Key("two.example"), Key("one.example")])!.Messages);
        Assert.Equal(3, mail.Of([Key("one.example"), Key(".two.example")])!.Messages);
        Assert.Null(mail.Of([Key("three.example")]));
    }

    [Theory]
    [InlineData("none.example", true, 0L)]
    [InlineData(".none.example", true, 0L)]
    [InlineData("none.example", false, null)]
    [InlineData("[mx.one.example]", true, null)]
    [InlineData("[mx.one.example]:587", true, null)]
    [InlineData("none.example:587", true, null)]
    [InlineData("192.0.2.1", true, null)]
    [InlineData("one.example", false, 1L)]
    public void What_is_not_known_is_never_nothing(string key, bool isWhole, long? expected) =>
        Assert.Equal(expected, WaitingMail.Read([Mail("a@one.example")], isWhole, null).MessagesOf(Key(key)));

    [Theory]
    [InlineData("""{"queue_name": "deferred", "arrival_time": 1, "recipients": 7}""")]
    [InlineData("""{"queue_name": "deferred", "recipients": []}""")]
    [InlineData("""{"queue_name": "deferred", "arrival_time": 1, "recipients": [{}]}""")]
    [InlineData("""{"queue_name": "deferred", "arrival_time": 1, "recipients": [{"address": 7}]}""")]
    [InlineData("""{"queue_name": "deferred", "arrival_time": 1, "recipients": [{"address": "\ud800@one.example"}]}""")]
    [InlineData("""{"queue_name": "deferred", "arrival_time": 1, "recipients": []} {}""")]
    [InlineData("no JSON at all")]
    public void What_cannot_be_read_leaves_every_number_a_least_one(string line)
    {
        var mail = WaitingMail.Read([line, Mail("a@one.example")], true, null);
        Assert.False(mail.IsWhole);
        Assert.Equal(1, mail.MessagesOf(Key("one.example")));
        Assert.Null(mail.MessagesOf(Key("none.example")));
        Assert.StartsWith("at least ", mail.InAll(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipient_without_a_domain_is_nobodys_and_leaves_numbers_whole()
    {
        var mail = WaitingMail.Read([Mail("root", "a@one.example")], true, null);
        Assert.True(mail.IsWhole);
        Assert.Equal("1 mail waits in the queue of this machine's Postfix", mail.InAll());
    }

    [Fact]
    public void A_message_longer_than_any_is_passed_over_and_the_next_one_read()
    {
        var reader = new WaitingMailReader(null);
        var noise = new byte[64 * 1024];
        Array.Fill(noise, (byte)'x');
        for (var i = 0; i <= WaitingMailReader.MaxLine / noise.Length; i++)
            reader.Take(noise);
        reader.Take(Encoding.UTF8.GetBytes("\n" + Mail("a@one.example")));
        var mail = reader.End(isWhole: true);
        Assert.False(mail.IsWhole);
        Assert.Equal(1, mail.MessagesOf(Key("one.example")));
    }

    [Fact]
    public void Of_one_message_a_thousand_domains_are_counted()
    {
        string[] recipients = [.. Enumerable.Range(0, WaitingMailReader.MaxDomainsOfMessage + 1).Select(i => string.Create(CultureInfo.InvariantCulture, $"a@d{i}.example"))];
        Assert.True(WaitingMail.Read([Mail(recipients[..^1])], true, null).IsWhole);
        var mail = WaitingMail.Read([Mail(recipients)], true, null);
        Assert.False(mail.IsWhole);
        Assert.Null(mail.MessagesOf(Key(recipients[^1][2..])));
    }

    [Fact]
    public void Beyond_the_most_messages_numbers_are_least_ones()
    {
        var line = Encoding.UTF8.GetBytes(Mail("a@one.example") + "\n");
        var reader = new WaitingMailReader(null);
        for (var i = 0; i < WaitingMail.MaxMessages; i++)
            reader.Take(line);
        Assert.False(reader.TakesMore);
        reader.Take(line);
        var mail = reader.End(isWhole: true);
        Assert.Equal((WaitingMail.MaxMessages, false), (mail.Messages, mail.IsWhole));
    }

    private static NextHop Key(string text) => NextHop.Parse(text);

    private static string Mail(params string[] recipients) =>
        $$"""{"queue_name": "deferred", "queue_id": "4bQ", "arrival_time": 1795961977, "recipients": [{{string.Join(", ", recipients.Select(to => $$"""{"address": "{{to}}", "delay_reason": "no TLS"}"""))}}]}""";
}
