using PolicyDaemon.Core.Findings;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>status --format tsv</c>: findings as rows.</summary>
public sealed class StatusRowsTests
{
    private const string Head = "severity\tkind\tsubject\tsince\tdestinations\twaiting\tcommand\tdetail\texpected\tseen";

    [Fact]
    public void A_finding_is_a_row_and_the_worst_comes_first()
    {
        using var session = new CliSession();
        var now = session.Time.GetUtcNow();
        session.Postfix.Waiting = [$$"""{"queue_name": "deferred", "queue_id": "A1", "arrival_time": {{now.AddHours(-1).ToUnixTimeSeconds()}}, "recipients": [{"address": "x@b.example"}]}"""];
        using var running = StatusTests.Run(
            session, "store", 1,
            new FindingJson("pin-beside-dane", "e.example", "advice", "policyctl domain set e.example", now.AddDays(-9)) { Severity = "for-information" },
            new FindingJson("dns-trouble", "prober", "nothing is answered", "policyctl check d.example", now.AddDays(-2)) { Severity = "look-at-it", Affects = 5 },
            new FindingJson("new-key", "a.example", "one", "policyctl pin approve a.example", now.AddHours(-2)) { Severity = "mail-waits" },
            new FindingJson("new-key", "b.example", "two", "policyctl pin approve b.example", now) { Severity = "mail-waits", Expected = ["aa"], Seen = [Seen("bb"), Seen("bb"), Seen("cc")] });

        Assert.Equal(
            [
                Head,
                "mail-waits\tnew-key\tb.example\t2026-11-23T12:00:00Z\t1\t1\tpolicyctl pin approve b.example\ttwo\taa\tbb cc",
                "mail-waits\tnew-key\ta.example\t2026-11-23T10:00:00Z\t1\t0\tpolicyctl pin approve a.example\tone\t-\t-",
                "look-at-it\tdns-trouble\tprober\t2026-11-21T12:00:00Z\t5\t-\tpolicyctl check d.example\tnothing is answered\t-\t-",
                "for-information\tpin-beside-dane\te.example\t2026-11-14T12:00:00Z\t1\t0\tpolicyctl domain set e.example\tadvice\t-\t-",
            ],
            session.Succeed("status", "--header").TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void That_no_daemon_runs_is_said_beside_the_rows()
    {
        using var session = new CliSession();

        var result = session.Run("status", "--header");

        Assert.Equal(Head + "\n", result.Out);
        Assert.Contains("policyd does not run: mail waits", result.Error, StringComparison.Ordinal);
        Assert.Contains("daemon\tnot running\n", session.Run("status", "--all").Out, StringComparison.Ordinal);
    }

    private static PresentedKeyJson Seen(string key) => new("mx.b.example", "192.0.2.1", 25, null, key, key, DateTimeOffset.UnixEpoch);
}
