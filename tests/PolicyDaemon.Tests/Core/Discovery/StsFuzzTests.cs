using System.Text;
using CsCheck;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

/// <summary>What a stranger publishes is read to a policy or to a reason, and never throws.</summary>
public sealed class StsFuzzTests
{
    private const int Iterations = 20_000;

    private static readonly string[] Pieces =
    [
        "version", "mode", "max_age", "mx", "STSv1", "enforce", "testing", "none", ": ", ":", "\n", "\r\n", "\r", " ", "\t", "v=STSv1", ";", "id=", "=",
        "*.", ".", "-", "_", "a", "mx.example.com", "1", "604800", "99999999999", "\u00e9", "\ud83d\udcec", "\0", "{", "}", ",", "|",
    ];

    private static readonly string[] Ends = [".test", ".xn--zz", ".xn--9.xn--mnchen-3ya", ".a1"];

    private static readonly Gen<string> Text = Gen.Int[0, Pieces.Length - 1].Select(piece => Pieces[piece]).Array[0, 40].Select(string.Concat);

    private static readonly Gen<string> Label =
        Gen.Select(Gen.Char["abcxyz019"], Gen.String[Gen.Char["ab-09"], 0, 8], Gen.Char["abcxyz019"], (first, middle, last) => $"{first}{middle}{last}");

    private static readonly Gen<StsPolicy> Policy =
        from mode in Gen.Enum<StsMode>()
        from seconds in Gen.Long[0, 9_999_999_999]
        from patterns in Gen.Select(Gen.Bool, Label.Array[1, 4], Gen.Int[0, Ends.Length - 1], (any, labels, end) => (any ? "*." : "") + string.Join('.', labels) + Ends[end]).Array[1, 5]
        select new StsPolicy(mode, TimeSpan.FromSeconds(seconds), [.. patterns.Distinct()]);

    [Fact]
    public void Any_octets_are_a_policy_or_have_a_reason() => Gen.Byte.Array[0, 300].Sample(octets =>
    {
        var isOne = StsPolicy.TryParse(octets, out var policy, out var reason);
        Assert.Equal(isOne, policy is not null);
        Assert.Equal(isOne, reason is null);
    }, iter: Iterations);

    [Fact]
    public void Any_words_of_a_policy_in_any_order_are_one_or_have_a_reason() => Text.Sample(text =>
    {
        if (!StsPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy, out _))
            return;
        Assert.True(StsPolicy.TryParse(policy.ToText(), out var again, out var reason), reason);
        Assert.Equal(policy, again);
    }, iter: Iterations);

    [Fact]
    public void Any_words_of_a_record_are_one_or_have_a_reason() => Text.Array[0, 3].Sample(texts =>
    {
        var reading = StsRecord.Read(texts);
        Assert.Equal(reading.State == StsRecordState.Valid, reading.Record is not null);
        Assert.Equal(reading.State == StsRecordState.Broken, reading.Problem is not null);
        if (reading.Record is { } record)
            Assert.Equal(record, StsRecord.Read([$"v=STSv1; id={record.Id};"]).Record);
    }, iter: Iterations);

    [Fact]
    public void A_policy_written_down_is_read_as_the_same() => Policy.Sample(policy =>
    {
        Assert.True(StsPolicy.TryParse(Encoding.UTF8.GetBytes(policy.ToText()), out var read, out var reason), reason);
        Assert.Equal(policy, read);
        Assert.All(policy.MxPatterns, pattern => Assert.True(read.Covers(pattern.Replace("*.", "a.", StringComparison.Ordinal))));
    }, iter: Iterations);

    [Fact]
    public void Every_policy_that_is_read_can_be_answered() => Gen.Select(Policy, Text).Sample((policy, more) =>
    {
        var text = (policy with { Mode = StsMode.Enforce }).ToText();
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Publish(StsPolicy.TryParse($"{text}{more}", out _, out _) ? $"{text}{more}" : text);
        var verdict = scenario.Use();
        foreach (var map in Enum.GetValues<MapName>())
            Assert.Equal(LookupAnswerKind.Found, DiscoveredReply.Answer(verdict, PostfixSettings.Default, map, null, out _).Kind);
    }, iter: 5_000);

    [Fact]
    public void A_policy_with_an_octet_changed_is_one_or_has_a_reason() =>
        Gen.Select(Policy, Gen.Int[0, int.MaxValue], Gen.Byte).Sample((policy, at, octet) =>
        {
            var octets = Encoding.UTF8.GetBytes(policy.ToText());
            octets[at % octets.Length] = octet;
            if (StsPolicy.TryParse(octets, out var read, out _))
                Assert.All(read.MxPatterns, pattern => Assert.DoesNotContain(pattern, character => character is ' ' or ',' or '{' or '}' or '|' or > '~'));
        }, iter: Iterations);
}
