using PolicyDaemon.Cli.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class PinTests
{
    [Fact]
    public void An_added_pin_is_served_beside_the_others()
    {
        using var session = Pinned();

        var result = session.Succeed("pin", "add", "example.com", CliSession.OtherPin.ToUpperInvariant(), "--of", "public-key");

        Assert.Equal(
            $"example.com\tchange\tfingerprint match={CliSession.Pin}\tfingerprint match={CliSession.Pin}|{CliSession.OtherPin}\t3\n", result);
        Assert.Equal(
            $"""
            example.com	{CliSession.Pin}	sha256	unknown	standby	person	2026-11-23T12:00:00Z	yes	-	-	-	alice (root), change 2
            example.com	{CliSession.OtherPin}	sha256	public-key	standby	person	2026-11-23T12:00:00Z	yes	-	-	-	alice (root), change 3

            """, session.Succeed("pin", "list", "example.com"));
    }

    [Theory]
    [InlineData("*.com", 0, "example.com")]
    [InlineData("EXAMPLE.*", 0, "example.com")]
    [InlineData("**", 0, "example.com")]
    [InlineData("plain.example", 0, "")]
    [InlineData("*.example", 1, "")]
    [InlineData("*.net", 1, "")]
    public void Pins_are_listed_by_pattern(string pattern, int exit, string key)
    {
        using var session = Pinned();
        session.Succeed("domain", "add", "plain.example", "--level", "encrypt");

        var result = session.Run("pin", "list", pattern);

        Assert.Equal((exit, key), ((int)result.Code, result.Out.Split('\t')[0]));
        Assert.Equal(exit == 0 ? "" : $"No key with pins matches {pattern}.\n", result.Error);
    }

    [Fact]
    public void A_pin_that_is_served_already_changes_nothing()
    {
        using var session = Pinned();

        Assert.Equal("none", session.Succeed("pin", "add", "example.com", CliSession.Pin).Split('\t')[1]);
    }

    [Fact]
    public void A_revoked_pin_is_kept_and_not_served()
    {
        using var session = Pinned();
        session.Succeed("pin", "add", "example.com", CliSession.OtherPin);

        session.Succeed("pin", "revoke", "example.com", CliSession.Pin);

        Assert.Contains($"{CliSession.Pin}\tsha256\tunknown\trevoked\tperson\t2026-11-23T12:00:00Z\tno: it is revoked", session.Succeed("pin", "list"), StringComparison.Ordinal);
        Assert.Contains($"answer\tfingerprint match={CliSession.OtherPin}\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("add")]
    [InlineData("approve")]
    public void A_revoked_pin_is_served_again_by_a_person_with_a_reason_only(string verb)
    {
        using var session = Pinned();
        session.Succeed("pin", "add", "example.com", CliSession.OtherPin);
        session.Succeed("pin", "revoke", "example.com", CliSession.Pin, "--reason", "stolen");

        Assert.Contains("revoked", session.Run("pin", verb, "example.com", CliSession.Pin).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, session.Run("pin", verb, "example.com", CliSession.Pin).Code);
        Assert.Contains("--reason", session.Run("pin", verb, "example.com", CliSession.Pin, "-n").Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, session.Run("pin", verb, "example.com", CliSession.Pin, "-n").Code);
        Assert.DoesNotContain(CliSession.Pin, session.Succeed("explain", "example.com").Split("pin")[0], StringComparison.Ordinal);

        session.Succeed("pin", verb, "example.com", CliSession.Pin, "--reason", "it was not");
    }

    [Fact]
    public void A_revocation_is_taken_back_with_a_reason()
    {
        using var session = Pinned();
        session.Succeed("pin", "add", "example.com", CliSession.OtherPin);
        session.Succeed("pin", "revoke", "example.com", CliSession.Pin);

        Assert.Contains("which was revoked", session.Run("undo", "4").Error, StringComparison.Ordinal);
        session.Succeed("undo", "4", "--reason", "a slip");
    }

    [Fact]
    public void Whatever_nobody_presents_any_more_is_rejected_in_one_command_with_a_reason()
    {
        using var session = Pinned();

        Assert.Equal(ExitCode.Usage, session.Run("pin", "reject", "example.com").Code);
        Assert.Equal(ExitCode.Usage, session.Run("pin", "reject", "example.com", "--unseen").Code);
        Assert.Equal(ExitCode.Usage, session.Run("pin", "reject", "example.com", CliSession.Pin, "--unseen", "--reason", "x").Code);
        Assert.Contains("no candidate that nobody presents", session.Run("pin", "reject", "example.com", "--unseen", "--reason", "x").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_served_pin_cannot_be_revoked_even_with_a_reason()
    {
        using var session = Pinned();

        var result = session.Run("pin", "revoke", "example.com", CliSession.Pin, "--reason", "gone");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("no pin would be served, and its mail would wait (its pin is refused, retired or not approved yet); first approve or add the one that is right", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_without_pins_takes_none_and_says_how_to_pin()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");

        var result = session.Run("pin", "add", "example.com", CliSession.Pin);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Equal(
            $"policyctl: example.com is at level secure, which takes no pins; to pin it: policyctl domain set example.com --level fingerprint --match {CliSession.Pin}\n",
            result.Error);
    }

    [Fact]
    public void A_pin_in_another_digest_is_refused_with_the_way_out()
    {
        using var session = Pinned();

        var result = session.Run("pin", "add", "example.com", "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("is a sha1 digest and Postfix compares sha256, so it would never match", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observed_entry_keeps_a_pin_in_another_digest_and_says_why_it_is_not_served()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--observe", "--match", "ad:f3:c3:68:2b:ce:8d:da:a3:83:ac:84:f6:5b:52:e0:b4:88:cd:9b");

        Assert.Contains("\tno: the entry is only observed\t", session.Succeed("pin", "list"), StringComparison.Ordinal);
    }

    private static CliSession Pinned()
    {
        var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin);
        return session;
    }
}
