using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;
using Xunit;

namespace PolicyDaemon.Tests.Store.Snapshots;

public sealed class StoreHealthTests
{
    private static readonly StoreException Away = new(StoreFault.Unavailable, "the server does not answer");

    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly FindingSet findings;

    public StoreHealthTests() => findings = new FindingSet(time, NullLogger.Instance, "mx7");

    [Fact]
    public void A_server_that_is_away_for_a_minute_is_a_finding_of_its_node_since_it_went()
    {
        var health = new StoreHealth("postgresql:dbname=p", findings, StoreHealth.PatienceWithServer, time);
        health.Recovered(null);
        var went = time.GetUtcNow();
        Assert.True(health.Failed(Away));
        Assert.False(health.IsGood);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(health.Failed(Away));
        Assert.Empty(findings.Open);

        time.Advance(TimeSpan.FromSeconds(1));
        health.Failed(Away);

        var finding = Assert.Single(findings.Open);
        Assert.Equal((FindingKind.StoreUnavailable, "mx7", went), (finding.Kind, finding.Node, finding.Since));
        health.Recovered(null);
        Assert.Empty(findings.Open);
        // The next time is another time.
        Assert.True(health.Failed(Away));
        Assert.Empty(findings.Open);
    }

    [Fact]
    public void What_does_not_end_by_waiting_is_told_at_once()
    {
        var health = new StoreHealth("postgresql:dbname=p", findings, StoreHealth.PatienceWithServer, time);

        health.Failed(new StoreException(StoreFault.Damaged, "it does not say which version it is"));

        Assert.Equal(FindingKind.StoreDamaged, Assert.Single(findings.Open).Kind);
    }

    /// <summary>While there is no primary a standby is read: as patiently as where none answers.</summary>
    [Fact]
    public void A_server_that_takes_no_writes_for_a_minute_is_a_finding()
    {
        var health = new StoreHealth("postgresql:dbname=p", findings, StoreHealth.PatienceWithServer, time);
        var onlyRead = new StoreException(StoreFault.ReadOnly, "a standby");
        var began = time.GetUtcNow();
        health.Failed(Away);
        time.Advance(TimeSpan.FromSeconds(30));
        health.Recovered(onlyRead);
        time.Advance(TimeSpan.FromSeconds(29));
        health.Recovered(onlyRead);
        Assert.Empty(findings.Open);
        Assert.True(health.IsGood);

        time.Advance(TimeSpan.FromSeconds(1));
        health.Recovered(onlyRead);

        Assert.Equal((FindingKind.StoreUnavailable, began), (Assert.Single(findings.Open).Kind, findings.Open.First().Since));
        health.Recovered(null);
        Assert.Empty(findings.Open);
    }

    [Fact]
    public void A_file_is_not_waited_for()
    {
        new StoreHealth("/var/lib/policydaemon/policy.db", findings, TimeSpan.Zero, time).Failed(Away);

        Assert.Single(findings.Open);
    }
}
