using PolicyDaemon.Cli.Completing;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What the shells' completion is told.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly CliSession session = new();

    public CompletionTests()
    {
        session.Succeed("domain", "add", "dane.example", "[mx.relay.test]:587", "--level", "encrypt", "--note", "theirs");
        session.Succeed("domain", "add", "pinned.example", "--level", "fingerprint", "--match", CliSession.Pin);
    }

    [Theory]
    [InlineData("policyctl stat", "status")]
    [InlineData("policyctl domain s", "set show")]
    [InlineData("policyctl {c} domain sh", "show")]
    [InlineData("policyctl domain add x.example --level ", "none may encrypt fingerprint dane dane-only verify secure default discovered")]
    [InlineData("policyctl domain add x.example --level d", "dane dane-only default discovered")]
    [InlineData("policyctl domain add x.example --mode ", "locked assist auto")]
    [InlineData("policyctl domain add x.example --connection-reuse ", "yes no")]
    [InlineData("policyctl query x.example --map ", "tlspolicy tlspolicy-tlsrpt")]
    [InlineData("policyctl domain list --format ", "table tsv json")]
    [InlineData("policyctl {c} domain show ", "[mx.relay.test]:587 dane.example pinned.example")]
    [InlineData("policyctl {c} domain show d", "dane.example")]
    [InlineData("policyctl {c} domain show '[m", "[mx.relay.test]:587")]
    [InlineData("policyctl {c} domain show \\[m", "[mx.relay.test]:587")]
    [InlineData("policyctl {c} domain remove dane.example p", "pinned.example")]
    [InlineData("policyctl {c} domain add ", "")]
    [InlineData("policyctl {c} explain pin", "pinned.example")]
    [InlineData("policyctl {c} pin revoke pinned.example ", CliSession.Pin)]
    [InlineData("policyctl {c} pin approve pinned.example ", "")]
    [InlineData("policyctl {c} pin approve ", "")]
    [InlineData("policyctl {c} pin revoke pinned.example aa", CliSession.Pin)]
    [InlineData("policyctl {c} pin revoke pinned.example sha256:", "sha256:" + CliSession.Pin)]
    [InlineData("policyctl {c} pin revoke pinned.example AA:", "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA")]
    [InlineData("policyctl {c} undo ", "3 2")]
    [InlineData("policyctl {c} audit --who ", "alice root")]
    [InlineData("policyctl domain set x.example --unset ci", "ciphers")]
    [InlineData("policyctl import ", ":files")]
    [InlineData("policyctl help pin a", "add approve")]
    [InlineData("policyctl help domain show ", "")]
    [InlineData("policyctl help ver", "version")]
    [InlineData("policyctl discovery list --verdict d", "dane-only dane")]
    [InlineData("policyctl domain add x.example --level=se", "--level=secure")]
    [InlineData("policyctl {c} domain add x.example --like=p", "--like=pinned.example")]
    [InlineData("policyctl --config=", ":files")]
    [InlineData("policyctl --config ", ":files")]
    [InlineData("policyctl domain list --he", "--help --header")]
    [InlineData("policyctl domain show --pr", "--probes")]
    [InlineData("policyctl --config /no/such/file domain show ", "")]
    public void Candidates_are_what_may_stand_there(string line, string expected)
    {
        var result = Complete(line);

        Assert.Equal(expected, string.Join(' ', result.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(candidate => candidate.Split('\t')[0])));
    }

    [Fact]
    public void A_key_is_offered_as_it_is_typed()
    {
        session.Succeed("domain", "add", "bücher.example", "--level", "encrypt");

        Assert.StartsWith("bücher.example\t", Complete("policyctl {c} domain show bü"), StringComparison.Ordinal);
        Assert.StartsWith("xn--bcher-kva.example\t", Complete("policyctl {c} domain show xn"), StringComparison.Ordinal);
    }

    [Fact]
    public void Candidates_say_what_they_are()
    {
        Assert.Contains("fingerprint\tonly a server with a pinned certificate or public key\n", Complete("policyctl domain add x --level "), StringComparison.Ordinal);
        Assert.Contains("dane.example\tencrypt, theirs\n", Complete("policyctl {c} domain show "), StringComparison.Ordinal);
        Assert.Contains("undo\tTake one change back", Complete("policyctl und"), StringComparison.Ordinal);
        Assert.Contains("3\t2026-11-23T12:00:00Z alice (root): add pinned.example\n", Complete("policyctl {c} undo "), StringComparison.Ordinal);
    }

    [Fact]
    public void A_candidate_is_offered_with_who_shows_it_and_by_its_certificate_where_that_is_typed()
    {
        using var probed = new ProbedSession();
        probed.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", LedgerFixture.KeyOf(0).Hex);
        probed.Probe(
            "example.com", [1], DestinationVerdict.Mismatch, [LedgerFixture.Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
        var certificate = LedgerFixture.Certificate(1);
        var sha1 = certificate.Digest(PinSubject.Certificate, DigestAlgorithm.Sha1).ToDisplayString();

        Assert.Equal($"{LedgerFixture.KeyOf(1).Hex}\tcandidate since 2026-11-23T12:00:00Z, shown by mx1.example\n", Offered(""));
        Assert.StartsWith($"{certificate.Id.Hex}\tcertificate of mx1.example, sha256, until ", Offered(certificate.Id.Hex[..6]), StringComparison.Ordinal);
        Assert.StartsWith($"{sha1}\tcertificate of mx1.example, sha1, until ", Offered(sha1[..8]), StringComparison.Ordinal);
        probed.Cli.Succeed("domain", "add", "other.example", "--level", "fingerprint", "--match", LedgerFixture.KeyOf(0).Hex);
        Assert.Equal("example.com\ta key waits for a decision\n", probed.Cli.RunWith("__complete", $"policyctl --config {probed.Cli.Config} pin approve ").Out);

        string Offered(string typed) => probed.Cli.RunWith("__complete", $"policyctl --config {probed.Cli.Config} pin approve example.com {typed}").Out;
    }

    [Fact]
    public void Every_level_has_a_meaning() =>
        Assert.All(Complete("policyctl domain set x --level ").Split('\n', StringSplitOptions.RemoveEmptyEntries), candidate => Assert.NotEqual("", candidate.Split('\t')[1]));

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a ", "a|")]
    [InlineData("a  'b c' d\\ e \"f\\\"g", "a|b c|d e|f\"g")]
    [InlineData("a ''", "a|")]
    public void A_line_is_split_as_a_shell_does(string line, string words) => Assert.Equal(words.Split('|'), ShellWords.Split(line));

    private string Complete(string line)
    {
        var result = session.RunWith("__complete", line.Replace("{c}", "--config " + session.Config, StringComparison.Ordinal));
        Assert.Equal((ExitCode.Done, ""), (result.Code, result.Error));
        return result.Out;
    }

    public void Dispose() => session.Dispose();
}
