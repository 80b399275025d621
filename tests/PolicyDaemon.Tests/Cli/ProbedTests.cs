using System.Text.Json;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What the prober knows, as the commands show it.</summary>
public sealed class ProbedTests : IDisposable
{
    private static readonly string Old = KeyOf(0).Hex;
    private static readonly string New = KeyOf(1).Hex;

    private readonly ProbedSession session = new();

    [Fact]
    public void A_list_says_the_verdict_the_probes_and_the_days_left()
    {
        Mismatch();
        session.Cli.Succeed("domain", "add", "new.example", "--level", "secure");

        // The test's certificates end 100 days after noon.
        Assert.Equal(
            """
            example.com	fingerprint	1/2	yes	assist		mismatch	2026-11-23T12:00:00Z	2026-11-23T16:00:00Z	100	-
            new.example	secure	-	yes	assist		not probed	-	-	-	-

            """, session.Cli.Succeed("domain", "list"));
        using var json = JsonDocument.Parse(session.Cli.Succeed("domain", "list", "--format", "json"));
        var probed = json.RootElement[0].GetProperty("probed");
        Assert.Equal(("mismatch", 100), (probed.GetProperty("verdict").GetString(), probed.GetProperty("days_left").GetInt32()));
        Assert.Equal(JsonValueKind.Null, json.RootElement[1].GetProperty("probed").ValueKind);
    }

    [Fact]
    public void The_last_probes_of_an_address_are_shown_with_what_was_said()
    {
        Mismatch();
        session.Cli.Time.Advance(TimeSpan.FromHours(4));
        session.Probe("example.com", [1], DestinationVerdict.Mismatch);

        var rows = session.Cli.Succeed("domain", "show", "example.com", "--probes").Split('\n').Where(line => line.StartsWith("probe\t", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, rows.Count);
        Assert.StartsWith("probe\t2026-11-23T16:00:00Z mx1.example 192.0.2.1:25 secured quit 42 ms TLSv1.3 ecdsa ", rows[0], StringComparison.Ordinal);
        // Of two that ended alike the dialogue of the later one is kept.
        Assert.StartsWith("probe\t2026-11-23T12:00:00Z mx1.example 192.0.2.1:25 secured quit - TLSv1.3 ecdsa ", rows[1], StringComparison.Ordinal);
        var table = session.Cli.Succeed("domain", "show", "example.com", "--probes", "--format", "table");
        Assert.Contains("mx1.example [192.0.2.1:25] 2026-11-23T16:00:00Z: secured\n  connect 12 ms, handshake 30 ms\n  S: 220 mx1.example ESMTP\n  C: EHLO probe.example\n", table, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Cli.Succeed("domain", "show", "example.com", "--probes", "--format", "json"));
        var newest = json.RootElement.GetProperty("observations")[0];
        Assert.Equal(("handshake", 30), (newest.GetProperty("stages")[1].GetProperty("stage").GetString(), newest.GetProperty("stages")[1].GetProperty("milliseconds").GetInt32()));
        Assert.Equal(Certificate(1).Id.Hex, newest.GetProperty("certificates")[0].GetProperty("certificate_fingerprint").GetString());
        Assert.Equal(0, json.RootElement.GetProperty("observations")[1].GetProperty("transcript").GetArrayLength());
        using var without = JsonDocument.Parse(session.Cli.Succeed("domain", "show", "example.com", "--format", "json"));
        Assert.Equal(JsonValueKind.Null, without.RootElement.GetProperty("observations").ValueKind);
    }

    [Fact]
    public void A_destination_shows_what_was_seen_and_who_decided()
    {
        Mismatch();

        var text = session.Cli.Succeed("domain", "show", "example.com", "--format", "table");

        Assert.Contains("mail is deferred: every address that was reached would be refused", text, StringComparison.Ordinal);
        Assert.Contains("the first to end does so at 2027-03-03T12:00:00Z, in 100 days", text, StringComparison.Ordinal);
        Assert.Contains($"{New[..16]}...  seen 2026-11-23T12:00:00Z to 2026-11-23T12:00:00Z at mx1.example [192.0.2.1]", text, StringComparison.Ordinal);
        Assert.Contains($"{New[..16]}...  candidate by prober, rule first-seen, change 3: because of FirstSeen", text, StringComparison.Ordinal);
        Assert.Contains($"{Old[..16]}...  never seen by a probe", text, StringComparison.Ordinal);
        Assert.Contains($"{Old[..16]}...  standby by alice (root), change 2", text, StringComparison.Ordinal);
        Assert.Matches($@"mx1\.example\s+192\.0\.2\.1:25\s+secured\s+ecdsa 256\s+{New}\s+2027-03-03T12:00:00Z\s+candidate", text);
        using var json = JsonDocument.Parse(session.Cli.Succeed("domain", "show", "example.com", "--format", "json"));
        var address = json.RootElement.GetProperty("probed").GetProperty("addresses")[0];
        Assert.Equal(("mx1.example", "192.0.2.1", 25, "secured"), (address.GetProperty("mx_host").GetString(), address.GetProperty("address").GetString(), address.GetProperty("port").GetInt32(), address.GetProperty("outcome").GetString()));
        Assert.Equal(New, address.GetProperty("certificates")[0].GetProperty("public_key_fingerprint").GetString());
        Assert.False(address.GetProperty("certificates")[0].GetProperty("pinned").GetBoolean());
        var pin = json.RootElement.GetProperty("pins")[1];
        Assert.Equal("first-seen", pin.GetProperty("evidence").GetProperty("rule").GetString());
        Assert.Equal("mx1.example", pin.GetProperty("seen_at")[0].GetProperty("mx_host").GetString());
    }

    [Fact]
    public void An_explanation_says_what_happens_to_mail_now()
    {
        Mismatch();
        var text = session.Cli.Succeed("explain", "example.com", "--format", "table");
        Assert.Contains("mismatch since 2026-11-23T12:00:00Z", text, StringComparison.Ordinal);
        Assert.Contains("candidate by prober, rule first-seen", text, StringComparison.Ordinal);
        Assert.Contains("if       smtp_tls_security_level = may (assumed); smtp_mx_address_limit = 5 (assumed); ", text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Cli.Succeed("explain", "example.com", "--format", "json"));
        Assert.Equal("mismatch", json.RootElement.GetProperty("entry").GetProperty("probed").GetProperty("verdict").GetString());
    }

    [Fact]
    public void An_observed_entry_says_what_enforcing_would_have_done()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old, "--observe");
        session.Probe("example.com", [1], DestinationVerdict.Mismatch);
        session.Cli.Succeed("domain", "add", "b.example", "--level", "fingerprint", "--match", Old, "--observe");
        session.Probe("b.example", [1], DestinationVerdict.Ok);

        Assert.Contains("if it were enforced, mail would be deferred", session.Cli.Run("explain", "example.com", "--format", "table").Out, StringComparison.Ordinal);
        Assert.Contains("if it were enforced, mail would be deferred", session.Cli.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        Assert.Contains(
            "observed\t1 ok, 1 mismatch; if all were enforced now, mail would be delivered to 1, partly to 0, deferred for 1, and 0 cannot be reached\n",
            session.Cli.Run("status", "--all").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_status_counts_verdicts_and_shows_expected_beside_seen()
    {
        Mismatch();
        session.Cli.Succeed("domain", "add", "b.example", "--level", "fingerprint", "--match", Old);
        session.Cli.Succeed("domain", "add", "c.example", "--level", "secure");
        session.Probe("b.example", [0], DestinationVerdict.Ok);
        session.Cli.Time.Advance(TimeSpan.FromHours(5));

        var text = session.Cli.Run("status", "--all", "--format", "table").Out;

        Assert.Matches(@"verdicts\s+1 ok, 1 mismatch, 1 not probed\n", text);
        Assert.Contains("new-key  example.com  waits, since 2026-11-23T12:00:00Z (5 hours)", text, StringComparison.Ordinal);
        Assert.Contains($"  expected  {Old}\n  seen      {New}  mx1.example [192.0.2.1:25] since", text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Cli.Run("status", "--format", "json").Out);
        var finding = json.RootElement.GetProperty("findings")[0];
        Assert.Equal(("pin-mismatch", "validation-failure", 1), (finding.GetProperty("outcome").GetString(), finding.GetProperty("result_type").GetString(), finding.GetProperty("affects").GetInt32()));
        Assert.Equal((Old, New), (finding.GetProperty("expected")[0].GetString(), finding.GetProperty("seen")[0].GetProperty("public_key_fingerprint").GetString()));
        Assert.Equal(1, json.RootElement.GetProperty("store").GetProperty("verdicts").GetProperty("mismatch").GetInt32());
    }

    [Fact]
    public void An_export_has_only_what_is_served()
    {
        Mismatch();
        Assert.DoesNotContain(New, session.Cli.Succeed("export"), StringComparison.Ordinal);
        session.Cli.Succeed("pin", "approve", "example.com", New);
        Assert.Contains($"{Old}|{New}", session.Cli.Succeed("export"), StringComparison.Ordinal);
    }

    public void Dispose() => session.Dispose();

    private void Mismatch()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old);
        session.Probe(
            "example.com", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)], [Finding(FindingKind.NewKey)]);
    }
}
