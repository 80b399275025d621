using PolicyDaemon.Core.Findings;
using Xunit;

namespace PolicyDaemon.Tests.Core.Findings;

public class FindingKindsTests
{
    [Fact]
    public void Every_kind_has_one_row() => Assert.Equal(Enum.GetValues<FindingKind>(), FindingKinds.All.Select(row => row.Kind));

    [Fact]
    public void Every_row_says_who_opens_it_what_it_means_and_what_to_do() => Assert.All(FindingKinds.All, row =>
    {
        Assert.NotEqual(FindingSource.None, row.Source);
        Assert.All([row.Meaning, row.WhatToDo], sentence => Assert.Matches("^[A-Z][^\n]{10,200}[^.]$", sentence));
    });

    [Fact]
    public void A_kind_belongs_to_the_part_that_closes_it()
    {
        Assert.Equal(
            [FindingKind.StoreUnavailable, FindingKind.StoreDamaged, FindingKind.StoreReplaced], FindingKinds.Of(FindingSource.Store));
        Assert.Equal(
            [FindingKind.BrakeOn, FindingKind.DnsTrouble, FindingKind.ResolverNotValidating, FindingKind.ResolverHalfTested, FindingKind.ClockJumped, FindingKind.NetworkTrouble],
            FindingKinds.Of(FindingSource.Prober));
        Assert.True(FindingKind.DnsTrouble.IsOf(FindingSource.Probe), "of a destination's lookup as well as of every one");
        Assert.False(FindingKind.AuditBroken.Description().EndsByItself);
    }
}
