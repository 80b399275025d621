using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Tests.Core.Discovery;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

public sealed class ProbeLedgerTests : IDisposable
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void What_was_seen_is_remembered_by_another_ledger()
    {
        fixture.See(1, 0);
        fixture.Store.Time.Advance(TimeSpan.FromHours(4));
        fixture.See(1, 0);
        fixture.Store.Time.Advance(TimeSpan.FromHours(4));
        fixture.See(1, 1, 3);
        fixture.Store.Time.Advance(TimeSpan.FromHours(4));
        fixture.See(1);

        using var other = fixture.Open();
        var read = other.ReadHistory(Target(1));

        AssertSame(fixture.Ledger.ReadHistory(Target(1)), read);
        Assert.Equal([0, 1, 3], read.CertificateRuns.Select(run => Array.FindIndex([0, 1, 2, 3], i => Certificate(i).Equals(run.Certificate))));
        Assert.Equal((2, 1, 1), (read.CertificateRuns[0].Probes, read.CertificateRuns[1].Probes, read.FailuresInARow));
        Assert.Equal(2, read.CertificateRuns[0].TrustedProbes);
        Assert.Equal([[1, 2, 3], [4]], read.CertificateRuns[0].Intermediates.Select(der => der.ToArray()));
        Assert.True(read.HasOfferedStartTls);
        Assert.Equal(ProbeOutcome.Timeout, read.LastOutcome);
        Assert.Equal(fixture.Now, read.LastAttempt);
        Assert.Equal(fixture.Now.AddHours(-4), read.BothAlgorithmsAt);
    }

    [Fact]
    public void The_prober_learns_what_a_destination_publishes_and_since_when_it_is_exempt()
    {
        var key = NextHop.Parse("example.com");
        var secure = TemporaryStore.Secure("example.com");
        var exempt = secure with { Policy = new TlsPolicy { Level = TlsLevel.Default } };
        fixture.Store.Put(secure);
        Assert.Null(fixture.Ledger.Read(key)!.Published);
        Remember(DiscoveryScenario.Of("W", "I10", enforce: true));
        Assert.Equal((TlsLevel.Secure, null), (fixture.Ledger.Read(key)!.Published!.Level, fixture.Ledger.Read(key)!.ExemptSince));

        fixture.Store.Time.Advance(TimeSpan.FromDays(1));
        fixture.Store.Put(exempt);
        var since = fixture.Now;
        fixture.Store.Time.Advance(TimeSpan.FromDays(1));
        fixture.Store.Put(exempt with { Note = "still" });
        Assert.Equal((since, false), (fixture.Ledger.Read(key)!.ExemptSince, fixture.Ledger.Read(key)!.IsTemporary));
        fixture.Store.Put(exempt with { Until = fixture.Now.AddDays(9) });
        Assert.True(fixture.Ledger.Read(key)!.IsTemporary);

        // What was found out long ago, or is doubtful, says nothing.
        fixture.Store.Time.Advance(TimeSpan.FromDays(2));
        Assert.Null(fixture.Ledger.Read(key)!.Published);
        Remember(DiscoveryScenario.Of("F", ""));
        Assert.Null(fixture.Ledger.Read(key)!.Published);

        void Remember(DiscoveryScenario scenario)
        {
            scenario.Now = fixture.Now;
            scenario.Use();
            using var store = fixture.Store.Open();
            store.WriteDiscovered([new DiscoveredEntry(scenario.Memory with { Key = key }, null)]);
        }
    }

    [Fact]
    public async Task What_the_store_remembers_forecasts_what_the_probe_did()
    {
        Observation[] observations =
        [
            fixture.Observation(1, ProbeOutcome.Secured, 3, 0), // RSA is negotiated
            fixture.Observation(2, ProbeOutcome.Secured, 0) with { AfterHandshake = ProbeOutcome.EhloRefused },
            fixture.Observation(3, ProbeOutcome.StartTlsRefused) with { Stage = ProbeStage.StartTls, ReplyCode = 501 },
            fixture.Observation(4, ProbeOutcome.ConnectionLost) with { Stage = ProbeStage.Handshake },
        ];
        foreach (var observation in observations)
            await fixture.Ledger.RecordAsync(observation);

        using var other = fixture.Open();

        Assert.Equal(LastDialogue.Of(observations[0]), other.ReadHistory(Target(1)).LastDialogue);
        Assert.Equal(KeyAlgorithm.Rsa, other.ReadHistory(Target(1)).LastDialogue!.Negotiated);
        foreach (var level in Enum.GetValues<TlsLevel>())
        {
            var rules = new DeliveryRules(
                new DeliveryPolicy(level, NextHop.Parse("example.com")) { IsPinned = Certificate(0).Equals }, PostfixSettings.Default with { MandatoryProtocols = ">=TLSv1.3" });
            foreach (var observation in observations)
            {
                Assert.Equal(
                    rules.At(Address(new AddressHistory(observation.Target).With(observation))), rules.At(Address(other.ReadHistory(observation.Target))));
            }
        }

        static AddressState Address(AddressHistory history) => new() { MxHost = "mx.example.com", History = history };
    }

    [Fact]
    public void What_an_older_program_left_is_not_taken_for_the_last_attempt()
    {
        fixture.See(1, 0);
        Assert.NotNull(fixture.Ledger.ReadHistory(Target(1)).LastDialogue);

        fixture.Store.Sql("UPDATE probe_target SET last_attempt = last_attempt + 60, version = version + 1");

        using var other = fixture.Open();
        Assert.Null(other.ReadHistory(Target(1)).LastDialogue);
    }

    [Fact]
    public void An_unknown_target_has_an_empty_history()
    {
        var history = fixture.Ledger.ReadHistory(Target(9));
        Assert.Equal((Target(9), null, 0), (history.Target, history.LastAttempt, history.CertificateRuns.Length));
    }

    [Fact]
    public void What_a_clock_that_was_ahead_recorded_does_not_keep_the_present_out()
    {
        var right = fixture.Now;
        fixture.Store.Time.AdjustTime(right.AddDays(400));
        fixture.See(1, 0);
        fixture.Store.Time.Advance(TimeSpan.FromMinutes(10));
        fixture.See(1, 1);
        fixture.Store.Time.AdjustTime(right);
        fixture.See(1, 2);

        using var other = fixture.Open();
        var read = other.ReadHistory(Target(1));
        AssertSame(fixture.Ledger.ReadHistory(Target(1)), read);
        Assert.Equal(right, read.LastAttempt);
        Assert.Equal([0, 1, 2], read.CertificateRuns.Select(run => Array.FindIndex([0, 1, 2, 3], i => Certificate(i).Equals(run.Certificate))));
        Assert.All(read.CertificateRuns, run => Assert.Equal((right, right), (run.First, run.Last)));
    }

    [Fact]
    public void What_a_clock_that_was_ahead_put_off_comes_back_and_is_recorded_anew()
    {
        var right = fixture.Now;
        fixture.Add("ahead.example", Pin(0));
        fixture.Add("usual.example", Pin(0));
        fixture.Ledger.Record(fixture.Result("usual.example"));
        fixture.Store.Time.AdjustTime(right.AddHours(6));
        var result = fixture.Result("ahead.example");
        fixture.Ledger.Record(result with { Result = result.Result with { NewKeys = [new HostWithNewKey("mx1.example", fixture.Now)] } });
        fixture.Store.Time.AdjustTime(right.AddMinutes(1));

        Assert.Equal(0, fixture.Ledger.RecallFuture(fixture.Now, right.AddHours(48)));
        Assert.Empty(fixture.Ledger.ListDue(fixture.Now, 10));
        Assert.Equal(1, fixture.Ledger.RecallFuture(fixture.Now, fixture.Now));
        Assert.Equal("ahead.example", Assert.Single(fixture.Ledger.ListDue(fixture.Now, 10)).Key.Text);
        Assert.Equal(0, fixture.Ledger.ReadBrake(right, 5).NewInDay);

        fixture.Ledger.Record(fixture.Result("ahead.example"));
        Assert.Equal(fixture.Now, fixture.Ledger.Read(NextHop.Parse("ahead.example"))?.LastProbe);
    }

    [Fact]
    public void A_history_does_not_grow_without_end()
    {
        for (var i = 0; i < AddressHistory.MaxRuns + 20; i++)
        {
            fixture.See(1, i % 3);
            fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        }

        using var other = fixture.Open();
        AssertSame(fixture.Ledger.ReadHistory(Target(1)), other.ReadHistory(Target(1)));
        Assert.Equal(AddressHistory.MaxRuns, other.ReadHistory(Target(1)).CertificateRuns.Length);
        Assert.Equal(30, fixture.Count("observation"));
        Assert.Equal(1, (long)fixture.Scalar("SELECT count(*) FROM observation WHERE transcript IS NOT NULL")!);
    }

    [Fact]
    public void Of_a_server_that_is_out_of_reach_the_last_attempts_are_kept_and_the_one_that_met_it()
    {
        fixture.See(1, 0);
        for (var i = 0; i < 40; i++)
        {
            fixture.Store.Time.Advance(TimeSpan.FromHours(1));
            fixture.See(1);
        }

        Assert.Equal(31, fixture.Count("observation"));
        Assert.Equal("secured", fixture.Scalar("SELECT outcome FROM observation ORDER BY id LIMIT 1"));
    }

    [Fact]
    public void A_certificate_goes_with_the_last_run_that_showed_it()
    {
        fixture.See(1, 2);
        for (var i = 0; i < AddressHistory.MaxRuns; i++)
        {
            fixture.Store.Time.Advance(TimeSpan.FromHours(1));
            fixture.See(1, i % 2);
        }

        Assert.Equal(2, fixture.Count("key_material"));
    }

    [Fact]
    public void Two_programs_continue_the_same_history()
    {
        using var other = fixture.Open();
        fixture.See(1, 0);
        other.ReadHistory(Target(1));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.See(1, 0);
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));

        var observation = fixture.Observation(1, ProbeOutcome.Secured, 0);
        other.Record(observation);

        Assert.Equal(3, Assert.Single(fixture.Ledger.ReadHistory(Target(1)).CertificateRuns).Probes);
    }

    [Fact]
    public void Each_destination_is_listed_once()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Add("b.example", Pin(0));
        fixture.Store.Put(TemporaryStore.Pinned("c.example") with { Policy = new TlsPolicy { Level = TlsLevel.None } });
        fixture.Ledger.Record(fixture.Result("b.example"));

        Assert.Equal(
            [new ProbeDue(NextHop.Parse("a.example"), null), new ProbeDue(NextHop.Parse("b.example"), fixture.Now.AddHours(24))],
            fixture.Ledger.List().OrderBy(due => due.Key.Text));
    }

    [Fact]
    public void What_is_due_and_what_is_new_is_found_without_reading_all()
    {
        foreach (var key in (string[])["a.example", "b.example", "c.example", "d.example", "e.example"])
            fixture.Add(key, Pin(0));
        fixture.Store.Put(TemporaryStore.Pinned("none.example") with { Policy = new TlsPolicy { Level = TlsLevel.None } });
        fixture.Add("y.example", Pin(1));
        fixture.Add("z.example", Pin(2));
        fixture.Ledger.Record(fixture.Result("c.example"));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(fixture.Result("b.example"));
        fixture.Ledger.Record(fixture.Result("y.example"));

        var until = fixture.Now.AddHours(24);
        Assert.Equal(["c.example", "b.example", "y.example"], fixture.Ledger.ListDue(until, 10).Select(due => due.Key.Text));
        Assert.Equal(["c.example"], fixture.Ledger.ListDue(until, 1).Select(due => due.Key.Text));
        Assert.Equal([new ProbeDue(NextHop.Parse("c.example"), until.AddHours(-1))], fixture.Ledger.ListDue(until.AddSeconds(-1), 10));

        var first = fixture.Ledger.ListUnprobed(0, 2);
        var second = fixture.Ledger.ListUnprobed(first.End, 2);
        var third = fixture.Ledger.ListUnprobed(second.End, 2);
        Assert.Equal(["a.example", "d.example"], first.Keys.Select(key => key.Text));
        Assert.Equal(["e.example", "z.example"], second.Keys.Select(key => key.Text));
        Assert.Empty(third.Keys);
        Assert.Equal((false, false, true), (first.IsLast, second.IsLast, third.IsLast));

        Assert.Equal(new ProbeCounts(7, 4), fixture.Ledger.Count(fixture.Now));
        Assert.Equal(new ProbeCounts(7, 5), fixture.Ledger.Count(until.AddSeconds(-1)));
        Assert.Equal(new ProbeCounts(7, 7), fixture.Ledger.Count(until));
    }

    [Fact]
    public void What_was_due_and_is_at_level_none_now_is_not_due()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Add("other.example", Pin(0));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey)));
        fixture.Store.Put(TemporaryStore.Pinned("a.example") with { Policy = new TlsPolicy { Level = TlsLevel.None }, Pins = [] });

        Assert.Empty(fixture.Ledger.ListDue(fixture.Now.AddDays(9), 10));
        Assert.Equal(["other.example"], fixture.Ledger.ListUnprobed(0, 10).Keys.Select(key => key.Text));
        Assert.Equal(new ProbeCounts(1, 1), fixture.Ledger.Count(fixture.Now.AddDays(9)));
        // What was found when it was probed is settled, and nothing of it comes back with another level.
        Assert.Empty(fixture.Ledger.ReadAlerts());
        Assert.Equal((0, 0), (fixture.Count("probe_state"), fixture.Count("mx_target")));
        fixture.Ledger.Record(fixture.Result("other.example"));
        Assert.Equal([NextHop.Parse("other.example")], fixture.Ledger.Sharing(Target(1)));
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0)));
        fixture.Ledger.Record(fixture.Result("a.example"));
        Assert.Equal(2, fixture.Count("probe_state"));
    }

    [Fact]
    public void A_probe_at_level_none_leaves_no_finding_that_nothing_would_end_and_is_not_waited_for()
    {
        fixture.Store.Put(TemporaryStore.Pinned("none.example") with { Policy = new TlsPolicy { Level = TlsLevel.None } });
        fixture.Add("a.example", Pin(0));

        fixture.Ledger.Record(With(fixture.Result("none.example"), Finding(FindingKind.DestinationUnreachable)));

        Assert.Empty(fixture.Ledger.ReadAlerts());
        Assert.NotNull(fixture.Ledger.Read(NextHop.Parse("none.example"))!.LastProbe);
        Assert.Equal(new ProbeCounts(1, 1), fixture.Ledger.Count(fixture.Now.AddDays(9)));
    }

    [Fact]
    public void A_sample_draws_MX_hosts_and_not_their_customers_and_those_of_pinned_destinations_only()
    {
        for (var customer = 0; customer < 40; customer++)
        {
            fixture.Add($"customer{customer}.example", Pin(0));
            fixture.Ledger.Record(At($"customer{customer}.example", 1));
        }

        for (var host = 2; host < 12; host++)
        {
            fixture.Add($"own{host}.example", Pin(0));
            fixture.Ledger.Record(At($"own{host}.example", host));
        }

        fixture.Add("candidate.example", Pin(0, PinState.Candidate));
        fixture.Ledger.Record(At("candidate.example", 20));
        fixture.Add("unprobed.example", Pin(0));

        var all = fixture.Ledger.Sample(100, new Random(1)).Select(key => key.Text).ToList();
        Assert.Equal(11, all.Count);
        Assert.Single(all, key => key.StartsWith("customer", StringComparison.Ordinal));
        Assert.Equal(10, all.Count(key => key.StartsWith("own", StringComparison.Ordinal)));

        // Each as likely as another: about four of eleven times.
        var times = Enumerable.Range(0, 300).Count(seed => fixture.Ledger.Sample(4, new Random(seed)).Any(key => key.Text.StartsWith("customer", StringComparison.Ordinal)));
        Assert.InRange(times, 75, 145);
    }

    [Fact]
    public void A_host_behind_which_nothing_is_probed_is_neither_counted_nor_drawn()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Store.Put(TemporaryStore.Pinned("none.example", Pin(0)) with { Policy = new TlsPolicy { Level = TlsLevel.None } });
        foreach (var (key, host) in ((string, int)[])[("a.example", 1), ("none.example", 2)])
        {
            fixture.Ledger.Record(New(At(key, host), $"mx{host}.example", fixture.Now));
            fixture.See(host, 0);
        }

        Assert.All(
            Enumerable.Range(0, 20).Select(seed => fixture.Ledger.Sample(1, new Random(seed))), drawn => Assert.Equal("a.example", Assert.Single(drawn).Text));
        var counts = fixture.Ledger.ReadBrake(fixture.Now, 1);
        Assert.Equal((1, 1), (counts.PinnedHosts, counts.Probed));
    }

    [Fact]
    public void A_usual_day_is_counted_from_what_was_new_on_the_days_before_and_assumed_where_nobody_counted()
    {
        for (var host = 1; host <= 94; host++)
        {
            fixture.Add($"d{host}.example", Pin(0));
            fixture.Ledger.Record(At($"d{host}.example", host));
        }

        fixture.Ledger.Record(New(At("d1.example", 1), "mx1.example", fixture.Now));
        Assert.Equal(4, fixture.Ledger.ReadBrake(fixture.Now, 1).UsualDay);

        for (var day = 0; day < 30; day++)
        {
            for (var host = 1; host <= (day % 7 < 5 ? 7 : 1); host++)
                fixture.Ledger.Record(New(At($"d{host}.example", host), $"mx{host}.example", fixture.Now));
            fixture.Store.Time.Advance(TimeSpan.FromDays(1));
        }

        fixture.Ledger.Dispose();
        fixture.Ledger = fixture.Open();
        fixture.Ledger.Record(New(At("d1.example", 1), "mx1.example", fixture.Now));
        Assert.Equal(7, fixture.Ledger.ReadBrake(fixture.Now, 1).UsualDay);
        Assert.Equal(0, fixture.Ledger.ReadBrake(fixture.Now, 9).UsualDay);
    }

    [Fact]
    public void Probed_are_the_hosts_that_showed_a_key_since_the_first_new_one_of_the_hour()
    {
        for (var host = 1; host <= 5; host++)
        {
            fixture.Add($"d{host}.example", Pin(0));
            fixture.Ledger.Record(At($"d{host}.example", host));
        }

        fixture.See(1, 0);
        fixture.Store.Time.Advance(TimeSpan.FromMinutes(10));
        fixture.Ledger.Record(New(At("d2.example", 2), "mx2.example", fixture.Now));
        fixture.See(2, 0);
        fixture.Store.Time.Advance(TimeSpan.FromMinutes(10));
        fixture.See(3, 0);
        fixture.See(4);

        Assert.Equal((1, 2), (fixture.Ledger.ReadBrake(fixture.Now, 1).NewInHour, fixture.Ledger.ReadBrake(fixture.Now, 1).Probed));
    }

    [Fact]
    public void A_result_is_remembered()
    {
        fixture.Add("a.example", Pin(0));
        var result = fixture.Result("a.example");
        fixture.Ledger.Record(result);

        using var other = fixture.Open();
        var read = other.Read(NextHop.Parse("a.example"))!;

        Assert.Equal((fixture.Now, fixture.Now.AddHours(24), true, fixture.Now.AddDays(-1)), (read.LastProbe, read.NextDue, read.WasSecure, read.SecureSince));
        Assert.Equal(["mx1.example"], read.TrustedHosts);
        Assert.Equal([new MxTarget("mx1.example", Target(1), fixture.Now)], read.Targets);
        Assert.Equal(("a.example", PinMode.Assist), (read.Entry.Text, read.Mode));
        Assert.Equal([Pin(0)], read.Pins);
        var host = Assert.Single(read.LastResolution!.Hosts);
        Assert.Equal(("mx1.example", 10, DnssecStatus.Secure, DnssecStatus.Insecure), (host.Name, host.Preference, host.AddressDnssec, host.TlsaDnssec));
        Assert.Equal(result.Resolution.Hosts[0].Tlsa, host.Tlsa);
        Assert.Equal(Target(1).Address, Assert.Single(host.Addresses));
        Assert.Equal([NextHop.Parse("a.example")], other.Sharing(Target(1)));
    }

    [Fact]
    public void A_lookup_that_failed_leaves_what_was_known()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(fixture.Result("a.example"));
        var before = fixture.Ledger.Read(NextHop.Parse("a.example"))!;
        fixture.Store.Time.Advance(TimeSpan.FromDays(1));

        var failed = fixture.Result("a.example") with { Targets = before.Targets };
        fixture.Ledger.Record(failed with { Resolution = failed.Resolution with { Outcome = DnsOutcome.Failed, Hosts = [], Detail = "SERVFAIL" } });

        var after = fixture.Ledger.Read(NextHop.Parse("a.example"))!;
        Assert.Equal(before.LastResolution!.At, after.LastResolution!.At);
        Assert.Equal(before.Targets, after.Targets);
        Assert.True(after.Targets[0].LastListed >= after.LastResolution.At);
    }

    [Fact]
    public void A_target_that_DNS_names_no_more_is_known_and_not_listed()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(fixture.Result("a.example"));
        var first = fixture.Now;
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));

        var result = fixture.Result("a.example");
        fixture.Ledger.Record(result with
        {
            Resolution = Resolution("a.example", fixture.Now, 2),
            Targets = [new MxTarget("mx1.example", Target(1), first), new MxTarget("mx2.example", Target(2), result.At)],
        });

        var read = fixture.Ledger.Read(NextHop.Parse("a.example"))!;
        Assert.Equal([("mx1.example", false), ("mx2.example", true)], read.Targets.Select(target => (target.MxHost, target.LastListed >= read.LastResolution!.At)));
        fixture.Ledger.Record(result with { Resolution = Resolution("a.example", fixture.Now, 2), Targets = [new MxTarget("mx2.example", Target(2), result.At)] });
        Assert.Empty(fixture.Ledger.Sharing(Target(1)));
    }

    [Fact]
    public void An_older_probe_changes_nothing()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        var late = fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(fixture.Result("a.example"));

        fixture.Ledger.Record(late);

        Assert.Equal(PinState.Candidate, fixture.StateOf("a.example", 1));
        Assert.Equal(fixture.Now, fixture.Ledger.Read(NextHop.Parse("a.example"))!.LastProbe);
    }

    [Fact]
    public void A_destination_that_was_removed_meanwhile_leaves_nothing_behind()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Add("b.example", Pin(0));
        fixture.See(1, 0);
        fixture.Ledger.Record(fixture.Result("a.example"));
        fixture.Ledger.Record(fixture.Result("b.example"));
        fixture.Store.Remove("a.example");

        fixture.Ledger.Record(fixture.Result("a.example", Move(1, null, PinState.Candidate, RotationRule.FirstSeen)));

        Assert.Null(fixture.Ledger.Read(NextHop.Parse("a.example")));
        Assert.Equal([NextHop.Parse("b.example")], fixture.Ledger.Sharing(Target(1)));
        Assert.Equal((1, 1), (fixture.Count("probe_state"), fixture.Count("mx_target")));
        fixture.Store.Remove("b.example");
        using var store = fixture.Store.Open();
        store.CheckIntegrity();
        Assert.True(store.VerifyAudit().IsSound);
    }

    [Fact]
    public void What_nobody_refers_to_goes_after_a_day()
    {
        fixture.Add("a.example", Pin(0));
        fixture.See(1, 0);
        fixture.See(2, 1);
        fixture.Ledger.Record(fixture.Result("a.example"));
        fixture.Store.Time.Advance(TimeSpan.FromHours(25));

        fixture.See(3, 2);

        Assert.Equal("192.0.2.1:25 192.0.2.3:25", fixture.Scalar("SELECT min(name) || ' ' || max(name) FROM probe_target"));
        // Two certificates, and the key of the pin.
        Assert.Equal(3, fixture.Count("key_material"));
    }

    [Fact]
    public void The_brake_counts_MX_hosts_and_not_their_customers()
    {
        foreach (var (key, host) in ((string, int)[])[("a.example", 1), ("b.example", 1), ("c.example", 2), ("d.example", 3)])
        {
            fixture.Add(key, Pin(0));
            fixture.Ledger.Record(At(key, host));
        }

        // Never probed; probed, with no pin that is served; probed at two hosts, of which one is somebody else's, too.
        fixture.Add("e.example", Pin(0));
        fixture.Add("f.example", Pin(0, PinState.Candidate));
        fixture.Ledger.Record(At("f.example", 4));
        fixture.Add("g.example", Pin(0));
        fixture.Ledger.Record(At("g.example", 3, 5));
        Assert.Equal(new BrakeCounts { PinnedHosts = 4 }, fixture.Ledger.ReadBrake(fixture.Now, 5));

        fixture.Ledger.Record(New(At("a.example", 1), "mx1.example", fixture.Now));
        fixture.Ledger.Record(New(At("b.example", 1), "mx1.example", fixture.Now));
        fixture.Ledger.Record(New(At("g.example", 3, 5), "mx5.example", fixture.Now.AddHours(-1)));

        var counts = fixture.Ledger.ReadBrake(fixture.Now, 1);
        Assert.Equal((4, 2, 2, (DateTimeOffset?)null), (counts.PinnedHosts, counts.NewInHour, counts.NewInDay, counts.SetAt));
        counts = fixture.Ledger.ReadBrake(fixture.Now.AddHours(1), 1);
        Assert.Equal((1, 2), (counts.NewInHour, counts.NewInDay));
        Assert.Equal(0, fixture.Ledger.ReadBrake(fixture.Now.AddHours(25), 1).NewInDay);

        fixture.Ledger.BrakeSet(fixture.Now);
        Assert.Equal(fixture.Now, fixture.Ledger.ReadBrake(fixture.Now, 1).SetAt);
    }

    [Fact]
    public void A_new_key_is_forgotten_when_no_window_of_the_brake_reaches_it()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(New(fixture.Result("a.example"), "mx1.example", fixture.Now));
        fixture.Store.Time.Advance(TimeSpan.FromDays(31));

        fixture.See(1, 0);

        Assert.Equal(0, fixture.Count("new_key"));
    }

    [Fact]
    public void Seen_keys_are_kept_whole()
    {
        fixture.Add("a.example", Pin(0), Pin(2));
        fixture.See(1, 0);
        fixture.Ledger.Record(fixture.Result("a.example"));

        Assert.Equal(
            Convert.ToBase64String([.. Certificate(0).PublicKey]),
            fixture.Scalar($"SELECT m.der FROM pin p JOIN key_material m ON m.id = p.key_material_id WHERE p.fingerprint = '{KeyOf(0).Hex}'"));
        Assert.Equal(1, (long)fixture.Scalar("SELECT count(*) FROM pin WHERE key_material_id IS NULL")!);
    }

    [Fact]
    public void A_ledger_without_a_store_says_so_and_works_when_there_is_one()
    {
        using var bare = new LedgerFixture(create: false);
        Assert.Contains("policyctl init", Assert.Throws<LedgerUnavailableException>(bare.Ledger.List).Message, StringComparison.Ordinal);
        Assert.Throws<LedgerUnavailableException>(() => bare.Ledger.Record(bare.Observation(1, ProbeOutcome.Timeout)));

        PolicyStore.Create(bare.Store.Path, TemporaryStore.Alice, bare.Store.Time).Dispose();

        Assert.Empty(bare.Ledger.List());
        bare.See(1, 0);
        Assert.Single(bare.Ledger.ReadHistory(Target(1)).CertificateRuns);
    }

    public void Dispose() => fixture.Dispose();

    private ProbeResult At(string key, params int[] hosts) => fixture.Result(key) with
    {
        Resolution = Resolution(key, fixture.Now, hosts),
        Targets = [.. hosts.Select(host => new MxTarget($"mx{host}.example", Target(host), fixture.Now.AddMilliseconds(456)))],
    };

    private static ProbeResult New(ProbeResult result, string host, DateTimeOffset since) =>
        result with { Result = result.Result with { NewKeys = [new HostWithNewKey(host, since)] } };

    internal static void AssertSame(AddressHistory expected, AddressHistory actual)
    {
        Assert.Equal(expected with { CertificateRuns = [] }, actual with { CertificateRuns = [] });
        // Their order matters within an algorithm.
        Assert.Equal(expected.Algorithms, actual.Algorithms);
        foreach (var algorithm in expected.Algorithms)
            Assert.Equal(expected.Runs(algorithm).Select(Facts), actual.Runs(algorithm).Select(Facts));

        static (ServerCertificate?, string) Facts(CertificateRun run) => (run.Certificate, (run with { Intermediates = [] }).ToString());
    }
}
