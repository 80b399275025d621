using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Browsing;
using PolicyDaemon.Store.Engines;
using Xunit;

namespace PolicyDaemon.Tests.Store.Probing;

/// <summary>What is read of an entry whose end has come and is not written yet: the clock decides there, too.</summary>
public sealed class EndedStateTests : IDisposable
{
    private static readonly NextHop Key = NextHop.Parse("example.com");

    private readonly LedgerFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void A_verdict_of_before_the_end_is_not_told_as_what_is_so_now()
    {
        Exempt();
        Probe(DestinationVerdict.Ok);
        Assert.Equal((DestinationVerdict.Ok, false), Verdict());

        End();
        Assert.Equal((DestinationVerdict.Unknown, true), Verdict());
        Assert.Equal([DestinationVerdict.Unknown], Read(store => store.CountVerdicts(observed: false)).Keys);
        Assert.Equal(DestinationVerdict.Unknown, Read(store => store.ReadSummaries())[Key].Verdict);
        Assert.Equal(DestinationVerdict.Unknown, Assert.Single(Read(store => store.FindBehind("mx1.example", null, 10))).Verdict);

        Probe(DestinationVerdict.Mismatch);
        Assert.Equal((DestinationVerdict.Mismatch, false), Verdict());
        Assert.Equal([DestinationVerdict.Mismatch], Read(store => store.CountVerdicts(observed: false)).Keys);
    }

    [Fact]
    public void It_is_probed_counted_and_listed_as_what_it_is_again()
    {
        Exempt();
        Probe(DestinationVerdict.Ok);
        Assert.Equal(TlsLevel.May, fixture.Ledger.Read(Key)!.Policy.Level);
        Assert.Equal([TlsLevel.May], Read(store => store.Counts()).ByLevel.Keys);

        End();
        var probed = fixture.Ledger.Read(Key)!;
        Assert.Equal((TlsLevel.Fingerprint, false), (probed.Policy.Level, probed.IsTemporary));
        var counts = Read(store => store.Counts());
        Assert.Equal((TlsLevel.Fingerprint, 1L, 0L), (Assert.Single(counts.ByLevel).Key, counts.Destinations, counts.Temporary));
        Assert.Equal(TlsLevel.Fingerprint, Read(store => store.FindInForce(Key))!.Policy.Level);
        Assert.Equal(TlsLevel.Fingerprint, Assert.Single(Read(store => store.ListInForce().ToList())).Policy.Level);
        Assert.Equal("fingerprint", Assert.Single(Read(store => store.Browse(new BrowseFilter(Level: TlsLevel.Fingerprint), "", 10)).Rows).Level);
        Assert.Empty(Read(store => store.ReadTemporary(10)));
    }

    [Fact]
    public void A_finding_weighs_as_much_as_it_does_for_an_entry_that_is_enforced_again()
    {
        var pinned = TemporaryStore.Pinned("example.com", LedgerFixture.Pin(0));
        fixture.Store.Put(Temporary.Until(pinned, pinned with { Observe = true }, fixture.Now.AddHours(1)));
        Probe(DestinationVerdict.Mismatch, FindingKind.NewKey);
        Assert.NotEqual(FindingSeverity.MailWaits, Severity());
        Assert.Equal(1, Read(store => store.CountVerdicts(observed: true)).Values.Sum());

        End();
        Probe(DestinationVerdict.Mismatch, FindingKind.NewKey);
        Assert.Equal(FindingSeverity.MailWaits, Severity());
        Assert.Empty(Read(store => store.CountVerdicts(observed: true)));
        Assert.Equal(0, Read(store => store.Counts()).Observed);
    }

    [Fact]
    public void One_that_was_added_for_a_time_is_gone_for_whoever_shows_counts_or_probes_it()
    {
        fixture.Store.Put(TemporaryStore.Pinned("example.com", LedgerFixture.Pin(0)) with { Until = fixture.Now.AddHours(1) });
        Probe(DestinationVerdict.Ok);

        End();
        Assert.Null(fixture.Ledger.Read(Key));
        Assert.Null(Read(store => store.FindInForce(Key)));
        var counts = Read(store => store.Counts());
        Assert.Equal((0L, 0), (counts.Destinations, counts.ByLevel.Count));
        Assert.Empty(Read(store => store.CountVerdicts(observed: false)));
        Assert.NotNull(fixture.Store.Find("example.com"));
    }

    private void Exempt()
    {
        var pinned = TemporaryStore.Pinned("example.com", LedgerFixture.Pin(0));
        fixture.Store.Put(Temporary.Until(pinned, pinned with { Policy = new TlsPolicy { Level = TlsLevel.May } }, fixture.Now.AddHours(1)));
    }

    private void End() => fixture.Store.Time.Advance(TimeSpan.FromHours(1));

    private void Probe(DestinationVerdict verdict, params FindingKind[] findings)
    {
        fixture.See(1, 1);
        var result = LedgerFixture.With(fixture.Result("example.com"), [.. findings.Select(kind => LedgerFixture.Finding(kind))]);
        fixture.Ledger.Record(result with { Result = result.Result with { Verdict = verdict } });
    }

    private (DestinationVerdict?, bool) Verdict() => Read(store => store.ReadProbeState(Key)) is { } state ? (state.Verdict, state.EndedSince) : default;

    private FindingSeverity Severity() => Assert.Single(Read(store => store.OpenFindings(Key))).Severity;

    private T Read<T>(Func<PolicyStore, T> read)
    {
        using var store = fixture.Store.Open(StoreAccess.Read);
        return read(store);
    }
}
