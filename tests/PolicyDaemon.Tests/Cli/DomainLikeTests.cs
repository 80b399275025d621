using PolicyDaemon.Cli.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>domain add --like</c>: an entry for another form of a key.</summary>
public sealed class DomainLikeTests : IDisposable
{
    private readonly CliSession session = new();

    public void Dispose() => session.Dispose();

    [Fact]
    public void Policy_mode_and_note_are_the_same_but_for_what_is_named()
    {
        session.Succeed("domain", "add", "mx.example.com", "--level", "secure", "--match", "a.example", "--ciphers", "high", "--mode", "auto", "--note", "the bank");

        session.Succeed("domain", "add", "[mx.example.com]:587", "--like", "mx.example.com", "--ciphers", "medium");

        Assert.Equal(
            "secure match=a.example ciphers=medium", Answer("[mx.example.com]:587"));
        var entry = session.Succeed("domain", "show", "[mx.example.com]:587");
        Assert.Contains("the bank", entry, StringComparison.Ordinal);
        Assert.Contains("auto", entry, StringComparison.Ordinal);
    }

    [Fact]
    public void Served_pins_are_announced_there_and_refused_ones_stay_refused()
    {
        session.Succeed("domain", "add", "mx.example.com", "--level", "fingerprint", "--match", CliSession.Pin, "--match", CliSession.OtherPin);
        session.Succeed("pin", "revoke", "mx.example.com", CliSession.OtherPin, "--reason", "old");

        session.Succeed("domain", "add", "[mx.example.com]", "--like", "mx.example.com");

        var pins = session.Succeed("pin", "list", "[mx.example.com]");
        Assert.Contains($"{CliSession.Pin}\tsha256\tunknown\tstandby\tperson\t", pins, StringComparison.Ordinal);
        Assert.Contains($"{CliSession.OtherPin}\tsha256\tunknown\trevoked\t", pins, StringComparison.Ordinal);
        // Once more is no change.
        session.Succeed("domain", "add", "[mx.example.com]", "--like", "mx.example.com");
        Assert.Single(session.Succeed("audit", "[mx.example.com]").TrimEnd().Split('\n'));
    }

    [Fact]
    public void Hosts_to_probe_are_of_a_key_for_subdomains_alone()
    {
        session.Succeed("domain", "add", ".example.com", "--level", "secure", "--probe-as", "mx.example.com");

        session.Succeed("domain", "add", "example.com", "--like", ".example.com");

        Assert.Equal("secure", Answer("example.com"));
        Assert.DoesNotContain("mx.example.com", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_temporary_in_an_entry_is_not_taken_for_another_key()
    {
        session.Succeed("domain", "add", "a.example", "--level", "secure");
        session.Succeed("domain", "set", "a.example", "--level", "may", "--until", "7d", "--reason", "their certificate has expired");
        session.Succeed("domain", "add", "b.example", "--level", "encrypt", "--until", "7d");

        session.Succeed("domain", "add", "[a.example]", "--like", "a.example");

        Assert.Equal("secure", Answer("[a.example]"));
        Assert.Contains("b.example ends by itself", session.Run("domain", "add", "[b.example]", "--like", "b.example").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_that_is_not_there_is_named_and_what_weakens_takes_a_reason_all_the_same()
    {
        Assert.Contains("other.example is not configured", session.Run("domain", "add", "example.com", "--like", "other.example").Error, StringComparison.Ordinal);
        session.Succeed("domain", "add", ".example.com", "--level", "secure");
        session.Succeed("domain", "add", "other.example", "--level", "may");

        Assert.Equal(ExitCode.Usage, session.Run("domain", "add", "mail.example.com", "--like", "other.example").Code);
    }

    private string Answer(string key) => session.Run("explain", key).Out.Split('\n')[0].Split('\t')[3];
}
