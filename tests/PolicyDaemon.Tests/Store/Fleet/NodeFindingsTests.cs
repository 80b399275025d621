using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Fleet;
using Xunit;

namespace PolicyDaemon.Tests.Store.Fleet;

public sealed class NodeFindingsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nodes_that_are_alike_and_there_are_nothing_to_tell() => Assert.Empty(Of(Node("mx7"), Node("mx8"), Node("mx9")));

    [Fact]
    public void One_that_is_gone_is_told_with_the_command_that_forgets_it_and_nothing_else()
    {
        var finding = Assert.Single(Of(Node("mx7"), Node("mx8") with { Age = NodeState.StaleAfter, Digest = "md5", Version = "0.0.1", Ahead = TimeSpan.FromHours(1) }));

        Assert.Equal((FindingKind.NodeStale, "mx8"), (finding.Kind, finding.Subject));
        Assert.Contains("policyctl node remove mx8", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, null)]
    [InlineData(-5, null)]
    [InlineData(6, "about 6 seconds ahead of")]
    [InlineData(-43, "about 40 seconds behind")]
    [InlineData(3599, "about 4000 seconds ahead of")]
    public void A_clock_that_is_off_by_more_than_seconds_is_told(int seconds, string? told)
    {
        var findings = Of(Node("mx7"), Node("mx8") with { Ahead = TimeSpan.FromSeconds(seconds) });

        if (told is null)
            Assert.Empty(findings);
        else
            Assert.Contains(told, Assert.Single(findings, finding => finding.Kind == FindingKind.NodeClock && finding.Subject == "mx8").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_digest_than_that_of_the_one_that_tells_it_is_told() =>
        Assert.Equal("mx8", Assert.Single(Of(Node("mx7"), Node("mx8") with { Digest = "sha512" }), finding => finding.Kind == FindingKind.NodeDigest).Subject);

    /// <summary>Whoever is the older is told of, be it the one that tells.</summary>
    [Fact]
    public void An_older_version_is_told()
    {
        Assert.Equal("mx8", Assert.Single(Of(Node("mx7"), Node("mx8") with { Version = "1.9.0" })).Subject);
        Assert.Equal("mx7", Assert.Single(Of(Node("mx7"), Node("mx8") with { Version = "1.10.1" })).Subject);
    }

    [Fact]
    public void A_name_that_two_have_by_turns_is_told_and_a_restart_is_none()
    {
        var time = new FakeTimeProvider();
        var twins = new NodeTwins(time);
        var node = Node("mx8");
        foreach (var restarted in (string[])["1", "1", "2", "2", "3"])
            Assert.False(twins.IsShared(node with { Instance = restarted }));
        Assert.False(twins.IsShared(node with { Instance = "4" }));
        Assert.True(twins.IsShared(node with { Instance = "3" }));
        Assert.Contains(Of(Node("mx7"), node with { IsShared = true }), finding => finding.Kind == FindingKind.NodeTwice);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(twins.IsShared(node with { Instance = "3" }));
    }

    [Theory]
    [InlineData("1.9.0", "1.10.0")]
    [InlineData("0.1.0", "0.1.0+next")]
    [InlineData("1.10.0", "1.10.1")]
    [InlineData("0.9", "1")]
    public void Versions_are_compared_by_their_numbers(string older, string newer)
    {
        Assert.True(NodeFindings.VersionOrder.Instance.Compare(older, newer) < 0);
        Assert.True(NodeFindings.VersionOrder.Instance.Compare(newer, older) > 0);
        Assert.Equal(0, NodeFindings.VersionOrder.Instance.Compare(newer, newer));
    }

    [Fact]
    public void That_nobody_holds_the_lease_is_told_after_a_minute_with_those_that_may_not()
    {
        Assert.Empty(Of(Node("mx8") with { Unattended = TimeSpan.FromSeconds(59) }));

        var finding = Assert.Single(Of(Node("mx8") with { Unattended = TimeSpan.FromSeconds(60), IsRefused = true, MayProbe = false }));

        Assert.Equal((FindingKind.NobodyProbes, "default", Now - TimeSpan.FromSeconds(60)), (finding.Kind, finding.Subject, finding.Since));
        Assert.Contains("mx8 may not", finding.Detail, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Finding> Of(params NodeState[] nodes) => NodeFindings.Of(nodes, "mx7", Now);

    private static NodeState Node(string name) =>
        new(name, "1.10.0", "default", MayProbe: true, HoldsLease: name == "mx7", "sha256", 12, TimeSpan.FromMilliseconds(40), Now, TimeSpan.FromSeconds(3));
}
