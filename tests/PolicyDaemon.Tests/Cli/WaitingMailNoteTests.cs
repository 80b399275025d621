using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

/// <summary>After a decision about pins: how much mail waits, and the command that has Postfix try it.</summary>
public sealed class WaitingMailNoteTests : IDisposable
{
    private readonly ProbedSession probed = new();

    public void Dispose() => probed.Dispose();

    [Theory]
    [InlineData("", "partner.test", "to have Postfix try all deferred mail now: postqueue -f (postqueue -s partner.test works only for a domain in fast_flush_domains)")]
    [InlineData("other.test partner.test", "partner.test", "to have Postfix try it now: postqueue -s partner.test")]
    [InlineData("test", "partner.test", "to have Postfix try it now: postqueue -s partner.test")]
    [InlineData("!partner.test, test", "partner.test", "to have Postfix try all deferred mail now: postqueue -f (")]
    [InlineData("hash:/etc/postfix/relay", "partner.test", "to have Postfix try all deferred mail now: postqueue -f (")]
    [InlineData("partner.test", "other.test", null)]
    public void Mail_that_waits_is_counted_and_the_command_works_that_has_it_tried(string fastFlushed, string recipient, string? said)
    {
        var session = Pinned();
        session.Postfix.Text = new PostconfText(
            ("fast_flush_domains", fastFlushed), ("parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains"), ("maximal_queue_lifetime", "5d"));
        session.Postfix.Waiting =
        [
            .. Enumerable.Range(0, 17).Select(number =>
                $$"""{"queue_name": "deferred", "arrival_time": {{session.Time.GetUtcNow().ToUnixTimeSeconds() - 60 - number}}, "recipients": [{"address": "user@{{recipient}}", "delay_reason": "Server certificate not verified"}]}"""),
        ];

        var shown = session.Run("pin", "approve", "partner.test", "--dry-run", "--format", "table");
        var result = session.Run("pin", "approve", "partner.test", KeyOf(1).Hex);

        if (said is null)
            Assert.DoesNotContain("postqueue", result.Error, StringComparison.Ordinal);
        else
            Assert.Contains($"17 mails wait since 2026-11-23T11:58:44Z, and the first is returned at 2026-11-28T11:58:44Z; {said}", result.Error, StringComparison.Ordinal);
        Assert.Equal(said is not null, shown.Out.Contains("  mail     17 mails wait since", StringComparison.Ordinal));
    }

    [Fact]
    public void Mail_for_several_destinations_is_counted_together()
    {
        var session = Pinned();
        session.Succeed("domain", "add", "other.test", "--level", "fingerprint", "--match", KeyOf(0).Hex);
        session.Postfix.Waiting = [Deferred("partner.test"), Deferred("other.test"), Deferred("third.test")];

        var result = session.Run("pin", "add", "*.test", KeyOf(2).Hex);

        Assert.Contains("2 mails wait since 2026-11-23T11:59:00Z; to have Postfix try all deferred mail now: postqueue -f\n", result.Error, StringComparison.Ordinal);

        string Deferred(string domain) => $$"""
            {"queue_name": "deferred", "arrival_time": {{session.Time.GetUtcNow().ToUnixTimeSeconds() - 60}}, "recipients": [{"address": "user@{{domain}}"}]}
            """.Trim();
    }

    [Fact]
    public void Where_no_queue_can_be_seen_the_command_is_said_where_mail_was_held_up()
    {
        var session = Pinned();

        var result = session.Run("pin", "approve", "partner.test", KeyOf(1).Hex);
        var tried = session.Run("pin", "approve", "partner.test", KeyOf(1).Hex, "--dry-run");
        session.Time.Advance(TimeSpan.FromHours(1));
        probed.Probe("partner.test", [1], DestinationVerdict.Ok);
        var again = session.Run("pin", "add", "partner.test", KeyOf(2).Hex);

        Assert.EndsWith("Postfix tries the mail that waits again by itself; at once, on its machine: postqueue -f\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("postqueue", tried.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("postqueue", again.Error, StringComparison.Ordinal);
    }

    private CliSession Pinned()
    {
        probed.Cli.Succeed("domain", "add", "partner.test", "--level", "fingerprint", "--match", KeyOf(0).Hex);
        probed.Probe("partner.test", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
        return probed.Cli;
    }
}
