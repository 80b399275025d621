using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

public class TlsLevelTests
{
    private static readonly TlsLevel[] Levels = Enum.GetValues<TlsLevel>();

    /// <summary>Each level with those that are as strict.</summary>
    private static readonly TlsLevel[][] ByStrictness =
    [
        [TlsLevel.None, TlsLevel.Default, TlsLevel.AsDiscovered], [TlsLevel.May], [TlsLevel.Dane], [TlsLevel.Encrypt],
        [TlsLevel.Fingerprint, TlsLevel.Verify, TlsLevel.Secure], [TlsLevel.DaneOnly],
    ];

    [Fact]
    public void Levels_have_one_order()
    {
        Assert.Equal(Levels.Order(), ByStrictness.SelectMany(levels => levels).Order());
        foreach (var level in Levels)
            Assert.All(Levels, other => Assert.Equal(Place(level) >= Place(other), level.IsAtLeast(other)));
    }

    [Fact]
    public void What_mail_is_certain_of_goes_by_the_order() => Assert.All(Levels, level =>
    {
        Assert.Equal(Place(level) switch { < 3 => Protection.PlainTextPossible, 3 => Protection.Encrypted, _ => Protection.Authenticated }, level.Protection());
        Assert.Equal(level.Protection() >= Protection.Encrypted, DiscoveryFloor.Encrypt.IsMetBy(level));
        Assert.Equal(level is TlsLevel.Secure or TlsLevel.DaneOnly, DiscoveryFloor.Secure.IsMetBy(level));
        Assert.Equal(level == TlsLevel.DaneOnly, DiscoveryFloor.DaneOnly.IsMetBy(level));
        Assert.True(DiscoveryFloor.None.IsMetBy(level));
    });

    [Fact]
    public void The_ladder_leaves_out_what_cannot_be_compared()
    {
        TlsLevel[] ladder = [TlsLevel.None, TlsLevel.May, TlsLevel.Encrypt, TlsLevel.Fingerprint, TlsLevel.Secure, TlsLevel.DaneOnly];
        foreach (var level in Levels)
            Assert.All(Levels, other => Assert.Equal(ladder.Contains(level) && ladder.Contains(other) && Place(level) > Place(other), level.IsAbove(other)));
    }

    private static int Place(TlsLevel level) => Array.FindIndex(ByStrictness, levels => levels.Contains(level));
}
