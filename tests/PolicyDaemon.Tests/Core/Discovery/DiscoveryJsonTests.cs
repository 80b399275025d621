using CsCheck;
using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class DiscoveryJsonTests
{
    [Fact]
    public void Evidence_is_readable_and_reads_back_as_the_same()
    {
        var scenario = DiscoveryScenario.Of("S", "A10 c20 g30", enforce: true);
        scenario.Use();
        scenario.UseAfter(TimeSpan.FromHours(3));

        var json = DiscoveryJson.Write(scenario.Last!);

        Assert.True(DiscoveryJson.TryRead(json, out var read, out var reason), reason);
        Assert.Equal(scenario.Last!.Answers.AsEnumerable(), read.Answers);
        Assert.Equal(scenario.Last.Before, read.Before);
        Assert.Equal((scenario.Last.Fetch, scenario.Last.Conditions, scenario.Last.At), (read.Fetch, read.Conditions, read.At));
        foreach (var expected in new[] { "\"key\": \"example.com\"", "\"type\": \"AAAA\"", "\"security\": \"secure\"", "\"resolver\": \"127.0.0.1:53\"", "\"ttl\": 600", "\"security_level\": \"may\"", "mode: enforce" })
            Assert.Contains(expected, json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("no JSON")]
    public void What_is_no_evidence_has_a_reason(string json)
    {
        Assert.False(DiscoveryJson.TryRead(json, out _, out var reason));
        Assert.NotEmpty(reason);
    }

    [Theory]
    [InlineData("\"key\": \"example.com\"", "\"key\": \"not a key\"")]
    [InlineData("\"key\": \"example.com\"", "\"key\": null")]
    [InlineData("\"type\": \"MX\"", "\"type\": \"SOA\"")]
    [InlineData("\"kind\": \"records\"", "\"kind\": 0")]
    [InlineData("\"security\": \"secure\"", "\"security\": \"certain\"")]
    [InlineData("mode: enforce", "mode: strict")]
    [InlineData("\"ttl\": 600", "\"ttl\": 1e300")]
    [InlineData("\"security_level\": \"may\"", "\"security_level\": \"half\"")]
    [InlineData("\"name\": \"example.com\",", "")]
    public void A_changed_value_that_is_none_is_refused(string from, string to)
    {
        var scenario = DiscoveryScenario.Of("S", "T10", enforce: true);
        scenario.Use();
        scenario.UseAfter(TimeSpan.FromHours(3));
        var json = DiscoveryJson.Write(scenario.Last!);
        Assert.Contains(from, json, StringComparison.Ordinal);

        Assert.False(DiscoveryJson.TryRead(json.Replace(from, to, StringComparison.Ordinal), out _, out _));
    }

    [Fact]
    public void A_file_with_octets_changed_is_evidence_or_has_a_reason_and_judging_it_never_throws()
    {
        var scenario = DiscoveryScenario.Of("S", "A10 c20 g30", enforce: true);
        scenario.Use();
        scenario.UseAfter(TimeSpan.FromHours(3));
        var json = DiscoveryJson.Write(scenario.Last!);

        Gen.Select(Gen.Int[0, json.Length - 1], Gen.Char["\"{}[]:,0x a-.nul"]).Array[1, 3].Sample(changes =>
        {
            var text = json.ToCharArray();
            foreach (var (at, character) in changes)
                text[at] = character;
            if (DiscoveryJson.TryRead(new string(text), out var read, out _))
                DiscoveryVerdict.Of(DiscoveryDecision.Of(read, 1), read.Conditions, read.At);
        }, iter: 5_000);
    }

    [Fact]
    public void A_question_without_an_answer_in_the_file_has_failed()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Use();
        var without = scenario.Last! with { Answers = [.. scenario.Last!.Answers.Where(answer => answer.Type != DnsType.Tlsa)] };

        var verdict = DiscoveryVerdict.Of(DiscoveryDecision.Of(without, 1), without.Conditions, without.At)!;

        Assert.Equal(DiscoveryRow.FailedDane, verdict.Row);
    }
}
