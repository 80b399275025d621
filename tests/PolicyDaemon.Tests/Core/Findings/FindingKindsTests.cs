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

    [Fact]
    public void What_follows_from_something_suspicious_is_part_of_it()
    {
        Assert.Equal(
            [FindingKind.NewKey, FindingKind.WeakerKey, FindingKind.RotatingTooOften, FindingKind.PinHeld, FindingKind.TooManyKeys],
            FindingKinds.All.Where(row => row.Kind.IsPartOf(FindingKind.TlsaMismatch)).Select(row => row.Kind));
        Assert.DoesNotContain(FindingKinds.All, row => row.Kind.IsPartOf(FindingKind.WeakerKey));
        Assert.DoesNotContain(FindingKinds.All, row => row.IsSuspicious && row.FollowsSuspicion);
    }

    [Theory]
    [InlineData(FindingKind.WeakerKey, FindingKind.NewKey, false)]
    [InlineData(FindingKind.RotatingTooOften, FindingKind.WeakerKey, false)]
    [InlineData(FindingKind.TooManyKeys, FindingKind.NewKey, false)]
    [InlineData(FindingKind.NewKey, FindingKind.WeakerKey, true)]
    [InlineData(FindingKind.MxSetReplaced, FindingKind.NewKey, false)]
    [InlineData(FindingKind.NewKey, FindingKind.NewKey, false)]
    [InlineData(FindingKind.WeakerKey, FindingKind.PlaintextInjected, true)]
    [InlineData(FindingKind.RotatingTooOften, FindingKind.StartTlsGone, true)]
    [InlineData(FindingKind.TooManyKeys, FindingKind.TlsaMismatch, true)]
    public void What_is_found_beside_an_open_finding_is_what_that_does_not_say(FindingKind open, FindingKind found, bool isTold)
    {
        var told = new[] { Of(found) }.Beside([Of(open)]);

        Assert.Equal(isTold, told.Any());

        static Finding Of(FindingKind kind) => new(kind, "example.com", "detail", "remedy", DateTimeOffset.UnixEpoch);
    }
}
