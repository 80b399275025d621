using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Timeline;

public sealed class KeyTimelineTests : IDisposable
{
    private static readonly NextHop Key = NextHop.Parse("example.com");

    private readonly LedgerFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void A_key_was_served_from_when_its_pin_was_until_a_person_took_it_back()
    {
        fixture.Add("example.com", LedgerFixture.Pin(0));
        var served = fixture.Now;
        fixture.Store.Time.Advance(TimeSpan.FromDays(3));
        fixture.Add("example.com", LedgerFixture.Pin(0, PinState.Revoked), LedgerFixture.Pin(1));
        var revoked = fixture.Now;
        fixture.Store.Time.Advance(TimeSpan.FromDays(1));

        var timeline = Read();

        var old = timeline.Keys.Single(key => key.Fingerprint == LedgerFixture.KeyOf(0).Hex);
        Assert.Equal([new TimeSpent(served, revoked)], old.Served);
        Assert.Equal(PinState.Revoked, old.Pin?.State);
        var next = timeline.Keys.Single(key => key.Fingerprint == LedgerFixture.KeyOf(1).Hex);
        Assert.Equal([new TimeSpent(revoked, fixture.Now)], next.Served);
        Assert.Equal(2, timeline.Decisions.Length);
        Assert.Contains("active to revoked", timeline.Decisions[1].What, StringComparison.Ordinal);
        Assert.True(timeline.Decisions[1].ByPerson);
    }

    [Fact]
    public void A_key_and_the_pin_of_its_certificate_are_one_bar()
    {
        var certificate = LedgerFixture.Certificate(0);
        fixture.Add("example.com", new Pin(certificate.Id, PinSubject.Certificate, PinState.Active, PinStrength.Person, fixture.Now));
        fixture.See(1, 0);
        var first = fixture.Now;
        fixture.Ledger.Record(fixture.Result("example.com"));
        fixture.Store.Time.Advance(TimeSpan.FromHours(5));
        fixture.See(1, 0);

        var key = Assert.Single(Read().Keys);

        Assert.Equal(certificate.KeyId.Hex, key.Fingerprint);
        Assert.Equal([new TimeSpent(first, fixture.Now)], key.Seen);
        Assert.Single(key.Served);
        Assert.Equal(1, key.Addresses);
    }

    [Fact]
    public void A_decision_of_a_rule_is_told_apart_from_a_person_s()
    {
        fixture.Add("example.com", LedgerFixture.Pin(0), LedgerFixture.Pin(1, PinState.Candidate));
        fixture.See(1, 1);
        fixture.Ledger.Record(fixture.Result("example.com", LedgerFixture.Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)));

        var decision = Read().Decisions[^1];

        Assert.False(decision.ByPerson);
        Assert.Equal("because of Dane", decision.Reason);
    }

    [Fact]
    public void A_destination_without_a_history_has_an_empty_timeline_of_a_week()
    {
        var timeline = Read();

        Assert.Empty(timeline.Keys);
        Assert.Equal(TimeSpan.FromDays(7), timeline.To - timeline.From);
    }

    private KeyTimeline Read()
    {
        using var store = fixture.Store.Open(StoreAccess.Read);
        return KeyTimeline.Read(store, Key, store.Find(Key), store.ReadProbeState(Key), fixture.Now);
    }
}
