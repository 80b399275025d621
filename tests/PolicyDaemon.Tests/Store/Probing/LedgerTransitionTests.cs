using System.Text.Json;
using CsCheck;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Snapshots;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

public sealed class LedgerTransitionTests : IDisposable
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void A_promotion_is_served_audited_with_its_evidence_and_can_be_taken_back()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        fixture.See(1, 1);
        using var loader = new LoaderFixture(fixture.Store);
        var before = loader.Answer("a.example");

        fixture.Ledger.Record(fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)));
        loader.Poll();

        Assert.Equal($"Found fingerprint match={KeyOf(0)}|{KeyOf(1)}", loader.Answer("a.example"));
        using var store = fixture.Store.Open();
        var row = store.Audit(limit: 1).Single();
        Assert.Equal(("prober", "a.example", "probe a.example", "dane: because of Dane"), (row.Actor.ToString(), row.Key, row.Command, row.Reason));
        Assert.Equal(($"fingerprint match={KeyOf(0)}", $"fingerprint match={KeyOf(0)}|{KeyOf(1)}"), (row.AnswerBefore, row.AnswerAfter));
        using var evidence = JsonDocument.Parse(row.Evidence!);
        var transition = evidence.RootElement.GetProperty("transitions")[0];
        Assert.Equal(("dane", "candidate", "active"), (transition.GetProperty("rule").GetString(), transition.GetProperty("from").GetString(), transition.GetProperty("to").GetString()));
        Assert.Equal(KeyOf(1).Hex, evidence.RootElement.GetProperty("certificate_runs")[0].GetProperty("public_key").GetString());
        Assert.Equal("secure", evidence.RootElement.GetProperty("mx_dnssec").GetString());
        Assert.True(store.VerifyAudit().IsSound);
        var pin = store.Find(NextHop.Parse("a.example"))!.Pins[1];
        Assert.Equal((PinStrength.Dane, fixture.Now), (pin.Strength, pin.Since));

        Undo(store, row.ChangeId);
        loader.Poll();
        Assert.Equal(before, loader.Answer("a.example"));
        Assert.Equal(PinState.Candidate, fixture.StateOf("a.example", 1));
    }

    [Fact]
    public void What_a_person_decided_meanwhile_stands()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate), Pin(2, PinState.Candidate));
        var result = fixture.Result(
            "a.example",
            Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane),
            Move(2, PinState.Candidate, PinState.Active, RotationRule.Dane),
            Move(3, null, PinState.Candidate, RotationRule.FirstSeen));
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0), Pin(1, PinState.Rejected), Pin(2, PinState.Candidate), Pin(3)));

        fixture.Ledger.Record(result);

        Assert.Equal(
            [PinState.Active, PinState.Rejected, PinState.Active, PinState.Active],
            fixture.Store.Find("a.example")!.Pins.Select(pin => pin.State));
        Assert.Equal(PinStrength.Person, fixture.Store.Find("a.example")!.Pins[3].Strength);
    }

    [Fact]
    public void An_undo_never_brings_a_rejected_pin_back()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        fixture.Ledger.Record(fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)));
        using var store = fixture.Store.Open();
        var promotion = store.Audit(limit: 1).Single().ChangeId;
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0), Pin(1, PinState.Rejected)));
        var rejection = store.Audit(limit: 1).Single().ChangeId;

        Assert.False(store.PlanUndo(promotion).IsPossible);
        Undo(store, rejection);

        Assert.Equal(PinState.Rejected, fixture.StateOf("a.example", 1));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(fixture.Result("a.example", Move(1, PinState.Rejected, PinState.Active, RotationRule.Dane)));
        Assert.Equal(PinState.Rejected, fixture.StateOf("a.example", 1));
    }

    [Theory]
    [InlineData(PinMode.Locked, RotationRule.Dane, PinState.Candidate)]
    [InlineData(PinMode.Assist, RotationRule.Dane, PinState.Active)]
    [InlineData(PinMode.Assist, RotationRule.WebPki, PinState.Candidate)]
    [InlineData(PinMode.Auto, RotationRule.WebPki, PinState.Active)]
    [InlineData(PinMode.Auto, RotationRule.FirstUse, PinState.Candidate)]
    [InlineData(PinMode.Auto, RotationRule.FirstSeen, PinState.Candidate)]
    [InlineData(PinMode.Auto, RotationRule.Converted, PinState.Candidate)]
    internal void The_mode_of_now_decides(PinMode mode, RotationRule rule, PinState expected)
    {
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0), Pin(1, PinState.Candidate)) with { Mode = mode });
        fixture.Ledger.Record(fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, rule)));
        Assert.Equal(expected, fixture.StateOf("a.example", 1));
    }

    [Fact]
    public void A_key_is_never_served_from_nowhere()
    {
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0)) with { Mode = PinMode.Auto });
        fixture.Ledger.Record(fixture.Result("a.example", Move(1, null, PinState.Active, RotationRule.Dane), Move(2, null, PinState.Candidate, RotationRule.FirstSeen)));
        Assert.Equal((null, PinState.Candidate), (fixture.StateOf("a.example", 1), fixture.StateOf("a.example", 2)));
    }

    [Fact]
    public void The_last_served_pin_stays()
    {
        fixture.Add("a.example", Pin(0, PinState.Retiring), Pin(1, PinState.Standby));
        fixture.Ledger.Record(fixture.Result(
            "a.example", Move(0, PinState.Retiring, PinState.Retired, RotationRule.GraceOver), Move(1, PinState.Standby, PinState.Retired, RotationRule.StandbyExpired)));
        Assert.Equal((PinState.Retired, PinState.Standby), (fixture.StateOf("a.example", 0), fixture.StateOf("a.example", 1)));
    }

    [Fact]
    public void The_last_pin_that_Postfix_compares_stays()
    {
        fixture.Add("a.example", Pin(0, PinState.Retiring), Pin(1, PinState.Active, DigestAlgorithm.Sha512));
        fixture.Ledger.Record(fixture.Result("a.example", Move(0, PinState.Retiring, PinState.Retired, RotationRule.GraceOver)));
        Assert.Equal(PinState.Retiring, fixture.StateOf("a.example", 0));
    }

    [Fact]
    public void Nothing_makes_an_entry_that_could_be_served_one_that_cannot()
    {
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0)) with
        {
            Policy = new TlsPolicy { Level = TlsLevel.Fingerprint, EnableRpk = true },
            Mode = PinMode.Auto,
        });
        fixture.Store.Put(fixture.Store.Find("a.example")! with { Pins = [Pin(0), Pin(1, PinState.Candidate) with { Subject = PinSubject.Certificate }] });

        var move = Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane) with { Subject = PinSubject.Certificate };
        using var ledger = new ProbeLedger(fixture.Store.Path, PostfixSettings.Default with { Version = PostfixVersion.Newest }, fixture.Store.Time);
        ledger.Record(fixture.Result("a.example", move));

        Assert.Equal(PinState.Candidate, fixture.StateOf("a.example", 1));
    }

    [Fact]
    public void A_conversion_happens_whole()
    {
        fixture.Store.Put(TemporaryStore.Pinned("a.example", Pin(0, digest: DigestAlgorithm.Sha1)) with { Observe = true });
        fixture.Ledger.Record(fixture.Result("a.example", Conversion(0)));

        Assert.Equal((PinState.Retired, PinState.Active), (fixture.StateOf("a.example", 0, DigestAlgorithm.Sha1), fixture.StateOf("a.example", 0)));
        using var store = fixture.Store.Open();
        Assert.Single(store.Change(store.Audit(limit: 1).Single().ChangeId));
    }

    [Fact]
    public void A_conversion_that_a_person_overtook_does_not_happen_at_all()
    {
        fixture.Add("a.example", Pin(1), Pin(0, PinState.Retired, DigestAlgorithm.Sha1));
        fixture.Add("b.example", Pin(1), Pin(0, PinState.Active, DigestAlgorithm.Sha1), Pin(0, PinState.Rejected));

        fixture.Ledger.Record(fixture.Result("a.example", Conversion(0)));
        fixture.Ledger.Record(fixture.Result("b.example", Conversion(0)));

        Assert.Equal((PinState.Retired, null), (fixture.StateOf("a.example", 0, DigestAlgorithm.Sha1), fixture.StateOf("a.example", 0)));
        Assert.Equal((PinState.Active, PinState.Rejected), (fixture.StateOf("b.example", 0, DigestAlgorithm.Sha1), fixture.StateOf("b.example", 0)));
    }

    [Fact]
    public void What_the_stores_door_refuses_is_left_out_and_the_rest_is_kept()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        var trusting = Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane) with { Strength = PinStrength.Tofu };

        fixture.Ledger.Record(With(fixture.Result("a.example", trusting), Finding(FindingKind.NewKey)));

        Assert.Equal(PinState.Candidate, fixture.StateOf("a.example", 1));
        Assert.Equal(fixture.Now, fixture.Ledger.Read(NextHop.Parse("a.example"))!.LastProbe);
        Assert.Single(fixture.Ledger.ReadAlerts());
    }

    /// <summary>Whatever is proposed in whatever order, and whatever a person does between.</summary>
    [Fact]
    public void Rejected_stays_rejected_somebody_is_always_served_and_trust_has_a_rule()
    {
        var transition = Gen.Select(Gen.Int[0, 3], Gen.Enum<PinState>().Nullable(), Gen.Enum<PinState>(), Gen.Enum<RotationRule>())
            .Select((key, from, to, rule) => Move(key, from, to, rule));
        var pins = Gen.Enum<PinState>().Array[4];
        Gen.Select(pins, transition.Array[1, 12], Gen.Enum<PinMode>()).Sample((states, proposed, mode) =>
        {
            var before = states.Select((state, key) => Pin(key, state)).ToList();
            var (after, applied) = PinTransitions.Apply([.. before], [.. proposed], mode, DateTimeOffset.UnixEpoch, _ => true);

            Assert.All(before.Where(pin => pin.State == PinState.Rejected), pin => Assert.Contains(pin, after));
            Assert.True(after.Any(pin => pin.IsServed) || !before.Any(pin => pin.IsServed));
            Assert.DoesNotContain(applied, move => move.To == PinState.Rejected);
            foreach (var pin in after.Where(pin => pin.IsServed && !before.Any(old => old.Fingerprint == pin.Fingerprint && old.IsServed)))
            {
                Assert.NotEqual(PinMode.Locked, mode);
                var rule = applied.First(move => move.Fingerprint == pin.Fingerprint && move.To is PinState.Standby or PinState.Active or PinState.Retiring).Rule;
                Assert.True(rule is RotationRule.Dane || (rule is RotationRule.WebPki && mode == PinMode.Auto) || rule is RotationRule.Converted);
            }

            // What was not applied left no trace.
            Assert.Equal(after.Count(pin => !before.Contains(pin)), applied.Select(move => move.Fingerprint).Distinct().Count(print => !before.Contains(after.Single(pin => pin.Fingerprint == print))));
        });
    }

    public void Dispose() => fixture.Dispose();

    private static PinTransition[] Conversion(int key) =>
    [
        Move(key, null, PinState.Active, RotationRule.Converted),
        Move(key, PinState.Active, PinState.Retired, RotationRule.Converted, DigestAlgorithm.Sha1),
    ];

    private static void Undo(PolicyStore store, long change)
    {
        using var undo = store.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "undo", "test"), PostfixSettings.Default);
        foreach (var step in undo.PlanUndo(change).Steps)
            undo.Put(step.BackTo!);
        undo.Commit();
    }
}
