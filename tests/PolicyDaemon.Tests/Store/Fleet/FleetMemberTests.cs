using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using Xunit;

namespace PolicyDaemon.Tests.Store.Fleet;

/// <summary>One node, step by step, over the rows that all of them share.</summary>
public sealed class FleetMemberTests : IDisposable
{
    private const string Refusal = "may not probe: the user mx7 has the role policydaemon_node";

    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly LeaseTable table;
    private readonly ProberLease lease;
    private readonly FleetMember member;
    private NodeFacts facts = new(MayProbe: true, "sha256", 1);

    public FleetMemberTests()
    {
        table = new LeaseTable(time);
        lease = new ProberLease("default", "mx7", "mx7-1", time);
        member = new FleetMember(new TableEngine(table), "mx7", "default", "mx7-1", "1.0.0", lease, time, new Random(1));
    }

    public void Dispose()
    {
        member.Dispose();
        lease.Dispose();
    }

    [Fact]
    public void One_that_may_not_probe_says_so_and_does_within_a_minute_of_the_grant()
    {
        table.Refusal = Refusal;
        Run(TimeSpan.FromMinutes(2));
        Assert.Equal(Refusal, member.Refusal);
        Assert.False(lease.IsHeld);
        var row = Assert.Single(NodeState.Read(table));
        Assert.Equal((false, true), (row.MayProbe, row.IsRefused));

        table.Refusal = null;
        Run(TimeSpan.FromSeconds(30));

        Assert.Null(member.Refusal);
        Assert.True(lease.IsHeld);
        row = Assert.Single(NodeState.Read(table));
        Assert.Equal((true, false, true), (row.MayProbe, row.IsRefused, row.HoldsLease));
    }

    /// <summary>After a server was away for minutes all nodes are old; who is told of had the time to say that it is there.</summary>
    [Fact]
    public void After_an_outage_nobody_is_stale_before_it_could_report()
    {
        Others("mx8", "mx9");
        Run(TimeSpan.FromMinutes(1), beside: () => Others("mx8", "mx9"));
        table.IsCutOff = true;
        Run(TimeSpan.FromMinutes(5));
        table.IsCutOff = false;

        var steps = Run(TimeSpan.FromSeconds(29));
        Assert.True(lease.IsHeld);
        Assert.All(steps, step => Assert.Null(step.Nodes));
        Assert.False(NodeState.Read(table).Single(node => node.Name == "mx7").IsStale);
        steps = Run(TimeSpan.FromSeconds(30), beside: () => Others("mx8"));

        var told = steps.Last(step => step.Nodes is not null).Nodes!;
        Assert.Equal(["mx9"], told.Where(node => node.IsStale).Select(node => node.Name));
    }

    [Fact]
    public void That_nobody_probes_is_known_to_those_that_may_not()
    {
        table.Refusal = Refusal;
        table.TakeLease("default", "mx1", "mx1-1", ProberLease.Term);
        Others("mx1");
        Run(TimeSpan.FromSeconds(75));
        Assert.Empty(member.Unattended);

        Run(TimeSpan.FromSeconds(30));

        var findings = NodeFindings.Unattended(member.Unattended, "mx7", time.GetUtcNow());
        Assert.Equal([FindingKind.NobodyProbes, FindingKind.NodeStale], findings.Select(finding => finding.Kind));
        Assert.Equal("mx1", findings[1].Subject);
        Assert.Contains("GRANT policydaemon_prober", findings[0].Detail, StringComparison.Ordinal);

        table.TakeLease("default", "mx9", "mx9-1", TimeSpan.FromMinutes(1));
        Run(TimeSpan.FromSeconds(20));
        Assert.Empty(member.Unattended);
    }

    /// <summary>Whoever looks after a change finds nobody behind who is not.</summary>
    [Fact]
    public void A_row_that_is_served_is_told_at_once()
    {
        Run(TimeSpan.FromSeconds(20));
        facts = facts with { Sequence = 2 };
        Run(TimeSpan.FromSeconds(3));

        Assert.Equal(2, Assert.Single(NodeState.Read(table)).Sequence);
    }

    private List<FleetStep> Run(TimeSpan span, Action? beside = null)
    {
        var steps = new List<FleetStep>();
        for (var end = time.GetUtcNow() + span; time.GetUtcNow() < end; time.Advance(TimeSpan.FromSeconds(1)))
        {
            beside?.Invoke();
            try
            {
                steps.Add(member.Step(facts, []));
            }
            catch (StoreException) when (table.IsCutOff)
            {
                // Tried again.
            }
        }

        return steps;
    }

    private void Others(params string[] names)
    {
        foreach (var name in names)
            table.Beat(new NodeRow(name, name + "-1", "1.0.0", "default", NodeRow.InTurn, "sha256", 1, 0, 0));
    }

    private sealed class TableEngine(LeaseTable table) : StoreEngine("a test's")
    {
        internal override bool IsShared => true;

        internal override FleetTables OpenFleet(StoreAccess access) => table;

        internal override void Create(DateTimeOffset now, Action<StoreSession> fill) => throw new NotSupportedException();

        internal override StoreSession Open(StoreAccess access, TimeSpan? patience = null, bool evenMoved = false) => throw new NotSupportedException();

        internal override SchemaChange Upgrade(bool dryRun, TimeSpan? patience = null) => throw new NotSupportedException();

        internal override StoreWatch Watch(TimeSpan patience) => throw new NotSupportedException();

        internal override FileSignature? Signature() => null;

        internal override bool Exists() => true;

        internal override StoreStamp? Stamp() => null;

        internal override void CheckCreate(IReadOnlyList<string> tables, IReadOnlyList<string> replaced) => throw new NotSupportedException();

        internal override void SweepDrafts()
        {
        }
    }
}
