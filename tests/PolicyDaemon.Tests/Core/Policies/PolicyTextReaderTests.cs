using System.Collections.Immutable;
using CsCheck;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

public class PolicyTextReaderTests
{
    [Theory]
    [InlineData("secure", TlsLevel.Secure)]
    [InlineData("SECURE", TlsLevel.Secure)]
    [InlineData(" ,\t\r\nDane-Only,, ", TlsLevel.DaneOnly)]
    [InlineData("none", TlsLevel.None)]
    public void A_level_is_read_in_any_letter_case_between_any_separators(string text, TlsLevel level)
    {
        var reading = PolicyTextReader.Read(text, PostfixVersion.Oldest);

        Assert.Equal(new TlsPolicy { Level = level }, reading.Policy);
        Assert.Empty(reading.Problems);
    }

    [Theory]
    [InlineData("secure match=a.example servername=hostname")]
    [InlineData("secure,servername=hostname,match=a.example")]
    [InlineData("Secure\tSERVERNAME=hostname\r\nMatch=A.Example")]
    public void Attributes_are_read_in_any_order_and_letter_case(string text)
    {
        var reading = PolicyTextReader.Read(text, PostfixVersion.Oldest);

        Assert.Equal(new TlsPolicy { Level = TlsLevel.Secure, Match = ["a.example"], ServerName = "hostname" }, reading.Policy);
    }

    [Theory] // each of these is a warning and 4.7.5 in smtp/smtp_tls_policy.c, or says less than it seems to
    [InlineData("", "the policy is empty")]
    [InlineData(" , ", "the policy is empty")]
    [InlineData("halfdane", "'halfdane' is no TLS security level")]
    [InlineData("half-dane", "'half-dane' is no TLS security level")]
    [InlineData("match=a secure", "'match=a' is no TLS security level")]
    [InlineData("encrypt attributes=x", "'attributes' is no attribute")]
    [InlineData("encrypt ciphers", "'ciphers' is no attribute: the '=' is missing")]
    [InlineData("encrypt ciphers =high", "'ciphers' is no attribute: the '=' is missing")]
    [InlineData("encrypt =high", "'=high' is no attribute: the name before '=' is missing")]
    [InlineData("encrypt ciphers=", "ciphers has no value")]
    [InlineData("encrypt servername=", "servername has no value")]
    [InlineData("encrypt ciphers=high ciphers=high", "ciphers is given more than once")]
    [InlineData("encrypt protocols=TLSv1.2 PROTOCOLS=TLSv1.3", "protocols is given more than once")]
    [InlineData("encrypt exclude=MD5 exclude=3DES", "exclude is given more than once")]
    [InlineData("encrypt servername=a.example servername=hostname", "servername is given more than once")]
    [InlineData("encrypt connection_reuse=maybe", "connection_reuse: 'maybe' is neither yes nor no")]
    [InlineData("encrypt match=a.example", "match is not legal at level encrypt")]
    [InlineData("dane match=a.example", "match is not legal at level dane")]
    [InlineData("encrypt tafile=/ta.pem", "tafile is not legal at level encrypt")]
    [InlineData("none ciphers=high", "level none takes no attributes")]
    [InlineData("secure match=", "match has no value")]
    [InlineData("secure match=:", "match has no value")]
    [InlineData("secure match=a|b", "match: 'a|b' is no name to match")]
    [InlineData("fingerprint match=", "match has no value")]
    [InlineData("fingerprint match=|", "match has no value")]
    [InlineData("fingerprint match=sha256:aa", "'sha256:aa' is not hexadecimal")]
    [InlineData("fingerprint match=:aa", "':aa' has a colon at character 1")]
    [InlineData("secure { match = a.example", "'{ match = a.example' is no attribute: a brace is not closed")]
    [InlineData("secure {match=a.example}x", "'{match=a.example}x' is no attribute: text follows the closing brace")]
    [InlineData("{secure}", "'{secure}' is no TLS security level")]
    [InlineData("encrypt policy_domain=example.com", "policy_type is missing")]
    [InlineData("encrypt policy_type=sts policy_type=sts", "policy_type is given more than once")]
    public void What_Postfix_refuses_is_a_problem(string text, string problem)
    {
        var reading = PolicyTextReader.Read(text, PostfixVersion.Newest);

        Assert.Contains(reading.Problems, found => found.Problem.ToString().StartsWith(problem, StringComparison.Ordinal));
    }

    [Theory] // "last wins" and "adds up" in postfix-tables section 3.6
    [InlineData("encrypt connection_reuse=yes connection_reuse=no", "encrypt connection_reuse=no")]
    [InlineData("encrypt enable_rpk=no enable_rpk=YES", "encrypt enable_rpk=yes")]
    [InlineData("secure match=a.example match=b.example::c.example", "secure match=a.example:b.example:c.example")]
    [InlineData("secure tafile=/b tafile=/a", "secure tafile=/b tafile=/a")]
    [InlineData("secure { match = a.example }", "secure match=a.example")]
    [InlineData("secure {servername=hostname}{ match=a.example }", null)]
    [InlineData("encrypt policy_type=no-policy-found policy_ttl=86400", "encrypt policy_type=no-policy-found")]
    [InlineData("encrypt policy_type=sts mx_host_pattern=*.A.example { policy_string = mx: *.a.example }", "encrypt policy_type=sts { policy_string = mx: *.a.example } mx_host_pattern=*.a.example")]
    public void Repeated_and_braced_attributes_are_read_as_Postfix_reads_them(string text, string? means)
    {
        var reading = PolicyTextReader.Read(text, PostfixVersion.Newest);

        Assert.Equal(means is null, !reading.Problems.IsEmpty);
        if (means is not null)
            Assert.Equal(LookupAnswer.Found(means), PolicyText.Answer(Entries.Of(reading.Policy!), Entries.Newest, MapName.TlsPolicyTlsRpt));
    }

    [Theory]
    [InlineData("secure { match = a.example }", "3.9", "3.10")]
    [InlineData("secure policy_type=sts", "3.9", "3.10")]
    [InlineData("secure enable_rpk=yes", "3.8", "3.9")]
    [InlineData("secure connection_reuse=yes", "3.5", "3.6")]
    [InlineData("secure protocols=>=TLSv1.2", "3.5", "3.6")]
    public void Newer_syntax_is_refused_for_an_older_Postfix(string text, string refused, string accepted)
    {
        Assert.NotEmpty(PolicyTextReader.Read(text, Entries.Version(refused).Version).Problems);
        Assert.Empty(PolicyTextReader.Read(text, Entries.Version(accepted).Version).Problems);
    }

    [Fact]
    public void A_problem_points_at_its_place()
    {
        var reading = PolicyTextReader.Read($"fingerprint match={Entries.Sha256A}|zz  bad=1", PostfixVersion.Oldest);

        Assert.Equal([$"fingerprint match={Entries.Sha256A}|".Length, $"fingerprint match={Entries.Sha256A}|zz  ".Length],
            reading.Problems.Select(problem => problem.Offset));
        Assert.Equal(Entries.Sha256A, Assert.Single(reading.Fingerprints).Hex);
    }

    [Fact]
    public void What_is_written_is_read_back_as_it_was() => Destinations.Sample(
        destination =>
        {
            var answer = PolicyText.Answer(destination, Entries.Newest, MapName.TlsPolicyTlsRpt);
            var reading = PolicyTextReader.Read(answer.Text, PostfixVersion.Newest);

            Assert.Equal(LookupAnswerKind.Found, answer.Kind);
            Assert.Empty(reading.Problems);
            Assert.Equal(PolicyAttributes.Canonical(destination.Policy), reading.Policy);
            Assert.Equal(destination.Pins.Select(pin => pin.Fingerprint), reading.Fingerprints);
        },
        iter: 2000,
        threads: 1);

    [Fact]
    public void Any_text_is_read_without_an_exception()
    {
        var random = new Random(20261123);
        const string alphabet = "secure fingprtmach=:|,{}\t\r\n.*a0é\u0000\u00a0\ud800";
        for (var round = 0; round < 20_000; round++)
        {
            var text = (round % 2 == 0 ? "secure " : "fingerprint ") + new string(random.GetItems<char>(alphabet, random.Next(40)));
            var reading = PolicyTextReader.Read(text, PostfixVersion.Newest);
            Assert.All(reading.Problems, problem => Assert.InRange(problem.Offset, 0, text.Length));

            // What is read without a problem can be written, or is refused with a reason: never written as something else.
            if (reading.Problems.IsEmpty && PolicyRules.Problems(Entries.Of(reading.Policy!), Entries.Newest).Count == 0)
                Assert.Equal(LookupAnswerKind.Found, PolicyText.Answer(Entries.Of(reading.Policy!), Entries.Newest, MapName.TlsPolicyTlsRpt).Kind);
        }
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Gen<Destination> Destinations => Gen.Select(
        OneOf([.. Enum.GetValues<TlsLevel>().Where(TlsLevels.IsOfPostfix)]),
        OneOf("mx.example.com", ".example.net", "nexthop", "HostName", "münchen.example").List[0, 4],
        OneOf<string?>(null, "high", "MEDIUM", "null"),
        OneOf<string?>(null, ">=TLSv1.2", "!SSLv3:!TLSv1"),
        OneOf<string?>(null, "hostname", "MX.example.com"),
        OneOf<string?>(null, "aNULL:MD5"),
        OneOf<bool?>(null, true, false),
        Gen.Select(Gen.Int[1, 5], Gen.Bool),
        Make);

    private static Destination Make(
        TlsLevel level, List<string> names, string? ciphers, string? protocols, string? serverName, string? exclude, bool? yesOrNo, (int Pins, bool TlsRpt) rest)
    {
        var policy = new TlsPolicy { Level = level };
        if (level == TlsLevel.None)
            return Entries.Of(policy);
        policy = policy with
        {
            Match = level.MatchesNames() ? [.. names] : [],
            TaFiles = level.MatchesNames() && yesOrNo == true ? ["/etc/ta.pem", "/etc/tb.pem"] : [],
            Ciphers = ciphers,
            Protocols = protocols,
            ServerName = serverName,
            Exclude = exclude,
            ConnectionReuse = yesOrNo,
            EnableRpk = yesOrNo,
            TlsRpt = rest.TlsRpt && !level.MatchesFingerprints()
                ? new("STS", "example.com", ["version: STSv1", "mx: *.example.com"], ["mx.example.com", "*.example.com"], null)
                : null,
        };
        return Entries.Of(policy) with { Pins = level.MatchesFingerprints() ? Entries.ManyPins(rest.Pins) : ImmutableArray<PolicyDaemon.Core.Pins.Pin>.Empty };
    }
}
