using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

/// <summary>Entries that end by themselves.</summary>
public sealed class TemporaryTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Fact]
    public void At_its_end_an_entry_is_what_it_was_with_the_pins_of_then()
    {
        var before = Entries.Pinned(Entries.Sha256A) with { Observe = true };
        var exempt = Temporary.Until(before, before with { Policy = new TlsPolicy { Level = TlsLevel.Default }, Observe = false, Note = "exempt" }, Now.AddHours(4));
        var later = exempt with { Pins = [Entries.Pin(Entries.Sha256B)] };

        Assert.Equal(later, later.At(Now.AddHours(4) - TimeSpan.FromSeconds(1)));
        Assert.Equal(before with { Pins = later.Pins, Note = "exempt" }, later.At(Now.AddHours(4)));
    }

    [Fact]
    public void One_that_was_added_goes_at_its_end()
    {
        var added = Entries.Of(TlsLevel.Default) with { Until = Now };
        Assert.Null(added.At(Now));
        Assert.Null(added.AfterEnd());
    }

    [Fact]
    public void A_second_time_it_comes_back_to_what_was_there_first()
    {
        var before = Entries.Of(TlsLevel.Secure);
        var once = Temporary.Until(before, Entries.Of(TlsLevel.Default), Now);
        var twice = Temporary.Until(once, once with { Policy = new TlsPolicy { Level = TlsLevel.Encrypt } }, Now.AddDays(1));
        Assert.Equal(before, twice.At(Now.AddDays(1)));
        Assert.Null(Temporary.Until(Entries.Of(TlsLevel.Default) with { Until = Now }, Entries.Of(TlsLevel.May), Now.AddDays(1)).AfterEnd());
    }

    [Fact]
    public void What_says_already_what_it_comes_to_has_no_end()
    {
        var before = Entries.Of(TlsLevel.Secure);
        Assert.Equal(before, Temporary.Until(before, before, Now).Settled());
        var exempt = Temporary.Until(before, Entries.Of(TlsLevel.Default), Now);
        Assert.Equal(before, (exempt with { Policy = before.Policy }).Settled());
        Assert.Equal(exempt, exempt.Settled());
    }

    // An entry as LEVEL, or LEVEL HOURS LEVEL-AFTER; "-" is none.
    [Theory]
    [InlineData("secure", "default 4 secure", true)] // weaker now
    [InlineData("default 4 secure", "secure", false)]
    [InlineData("default 4 secure", "default 2 secure", false)] // given back earlier
    [InlineData("default 4 secure", "default 8 secure", true)] // and later
    [InlineData("default 4 secure", "default", true)] // never
    [InlineData("default 4 secure", "default 4 encrypt", true)] // to less
    [InlineData("default 4 secure", "encrypt 4 secure", false)]
    [InlineData("encrypt", "secure 4 encrypt", false)] // it goes back to what it was
    [InlineData("secure 4 encrypt", "secure 8 encrypt", false)]
    [InlineData("secure 4 encrypt", "secure 2 encrypt", true)]
    [InlineData("secure 4 encrypt", "secure", false)]
    [InlineData("secure", "secure 4 -", true)] // it would go
    [InlineData("-", "secure 4 -", false)]
    [InlineData("-", "default 4 -", true)]
    [InlineData("secure 4 -", "encrypt 4 -", true)]
    [InlineData("encrypt 4 -", "encrypt 8 -", false)]
    [InlineData("encrypt 4 -", "encrypt", false)]
    [InlineData("encrypt", "encrypt 4 secure", false)]
    [InlineData("default -1 secure", "secure", false)] // that has ended: it is secure
    [InlineData("default -1 secure", "encrypt", true)]
    [InlineData("secure -1 encrypt", "encrypt", false)]
    [InlineData("default -1 -", "-", false)]
    [InlineData("secure -1 -", "-", false)]
    public void What_is_given_back_later_or_to_less_weakens(string before, string after, bool weakens) =>
        Assert.Equal(weakens, Weakening.Of(Told(before), Told(after), Entries.Sha256, _ => null, Now).Count > 0);

    [Fact]
    public void A_reason_says_from_when_on()
    {
        var reasons = Weakening.Of(Told("default 4 secure"), Told("default 8 secure"), Entries.Sha256, _ => null, Now);
        Assert.StartsWith("from 2024-10-04T04:00:00Z on: the level of example.com changes from secure to default", Assert.Single(reasons), StringComparison.Ordinal);
    }

    [Fact]
    public void A_parent_counts_as_it_is_then()
    {
        var parent = Temporary.Until(Entries.Of(TlsLevel.Secure, ".example.com"), Entries.Of(TlsLevel.May, ".example.com"), Now.AddHours(1));
        var child = Entries.Of(TlsLevel.May, "a.example.com");
        Assert.Empty(Weakening.Of(null, child, Entries.Sha256, Find, Now));
        Assert.NotEmpty(Weakening.Of(null, child, Entries.Sha256, Find, Now.AddHours(1)));

        Destination? Find(NextHop key) => key == parent.Key ? parent : null;
    }

    [Fact]
    public void What_it_comes_to_must_be_servable_too()
    {
        var entry = Temporary.Until(Entries.Of(TlsLevel.Fingerprint), Entries.Of(TlsLevel.Secure), Now);
        Assert.StartsWith("after its end: level fingerprint has no pins", Assert.Single(PolicyRules.Problems(entry, Entries.Sha256)).Reason, StringComparison.Ordinal);
        Assert.NotEmpty(PolicyRules.Problems(entry with { Until = null }, Entries.Sha256));
    }

    private static Destination? Told(string text)
    {
        var words = text.Split(' ');
        var entry = Level(words[0]);
        return words.Length == 1 ? entry
            : entry! with { Until = Now.AddHours(int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture)), Former = Level(words[2]) is { } then ? FormerPolicy.Of(then) : null };

        static Destination? Level(string name) => name == "-" ? null : TlsLevels.TryParse(name, out var level) ? Entries.Of(level) : throw new ArgumentException(name, nameof(text));
    }
}
