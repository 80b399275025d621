using System.Text;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using Xunit;

namespace PolicyDaemon.Tests.Core.Serving;

public class AnswerRuleTests
{
    private static readonly PostfixSettings Postfix = PostfixSettings.Default;
    private static readonly DiscoverySide Unknown = new(LookupAnswerKind.NotFound, null);
    private static readonly DefaultSide Encrypts = new(LookupAnswerKind.Found, Protection.Encrypted);

    [Fact]
    public void An_entry_answers_before_all_others() =>
        Assert.Equal(Answerer.Entry, Rule(Origin.Entry, EntryRole.Answers).Of("a.example"u8, Of(DiscoveredAnswer.DaneOnly), Encrypts));

    [Theory]
    [InlineData(Origin.None)]
    [InlineData(Origin.Parent)]
    [InlineData(Origin.Discovery)]
    [InlineData(Origin.Default)]
    public void A_near_miss_is_deferred_where_that_is_asked_for_whoever_else_could_answer(Origin origin)
    {
        var rule = Rule(origin) with { IsNearMiss = true };
        Assert.Null(rule.WithoutDiscovery);

        rule = rule with { Postfix = Postfix with { NearMiss = NearMissAnswer.Temporary } };
        Assert.Equal(Answerer.NearMiss, rule.WithoutDiscovery);
        Assert.Equal(Answerer.NearMiss, rule.Of("a.example"u8, Of(DiscoveredAnswer.DaneOnly), Encrypts));
    }

    [Theory]
    [InlineData(DiscoveryFloor.None, null, TlsLevel.May, Answerer.Discovery)]
    [InlineData(DiscoveryFloor.None, DiscoveredAnswer.Dane, TlsLevel.Encrypt, Answerer.Nobody)]
    [InlineData(DiscoveryFloor.Secure, DiscoveredAnswer.NotFound, TlsLevel.Verify, Answerer.BelowFloor)] // a name that DNS gives
    [InlineData(DiscoveryFloor.Encrypt, null, TlsLevel.DaneOnly, Answerer.BelowFloor)] // nothing is known
    [InlineData(DiscoveryFloor.Encrypt, DiscoveredAnswer.NotFound, TlsLevel.May, Answerer.BelowFloor)]
    [InlineData(DiscoveryFloor.Encrypt, DiscoveredAnswer.NotFound, TlsLevel.Encrypt, Answerer.Discovery)]
    [InlineData(DiscoveryFloor.Encrypt, DiscoveredAnswer.Dane, TlsLevel.Encrypt, Answerer.BelowFloor)]
    [InlineData(DiscoveryFloor.Secure, DiscoveredAnswer.Secure, TlsLevel.May, Answerer.Discovery)]
    [InlineData(DiscoveryFloor.DaneOnly, DiscoveredAnswer.Secure, TlsLevel.May, Answerer.BelowFloor)]
    [InlineData(DiscoveryFloor.DaneOnly, DiscoveredAnswer.DaneOnly, TlsLevel.May, Answerer.Discovery)]
    public void An_entry_takes_what_was_discovered_from_its_floor_on(DiscoveryFloor floor, DiscoveredAnswer? verdict, TlsLevel level, Answerer answerer)
    {
        var rule = Rule(Origin.Discovery, EntryRole.Discovers) with { Floor = floor, Postfix = Postfix with { SecurityLevel = level } };

        // Whatever * says: the entry is the destination's own.
        Assert.Equal(answerer, rule.Of("a.example"u8, verdict is { } known ? Of(known) : Unknown, Encrypts));
    }

    [Theory]
    [InlineData(DiscoveryFloor.None, Answerer.Nobody)]
    [InlineData(DiscoveryFloor.Encrypt, Answerer.BelowFloor)]
    public void Where_discovery_is_off_a_floor_is_not_met(DiscoveryFloor floor, Answerer answerer) =>
        Assert.Equal(answerer, (Rule(Origin.Discovery, EntryRole.Discovers) with { Floor = floor }).Of("a.example"u8, null, null));

    [Theory]
    [InlineData("a.example", DiscoveredAnswer.NotFound, Protection.PlainTextPossible, Answerer.Default)]
    [InlineData("a.example", DiscoveredAnswer.Dane, Protection.PlainTextPossible, Answerer.Discovery)]
    [InlineData("a.example", DiscoveredAnswer.Dane, Protection.Encrypted, Answerer.Default)]
    [InlineData("a.example", DiscoveredAnswer.Secure, Protection.Authenticated, Answerer.Discovery)]
    [InlineData("[a.example]", DiscoveredAnswer.Dane, Protection.Authenticated, Answerer.Discovery)] // no bare domain
    public void Of_a_bare_domain_the_stricter_of_discovery_and_the_default_is_served(
        string key, DiscoveredAnswer verdict, Protection everybody, Answerer answerer) =>
        Assert.Equal(answerer, Rule(Origin.Discovery).Of(Encoding.ASCII.GetBytes(key), Of(verdict), new DefaultSide(LookupAnswerKind.Found, everybody)));

    [Theory]
    [InlineData(DiscoveredAnswer.Dane, TlsLevel.May, Answerer.Discovery)]
    [InlineData(DiscoveredAnswer.Dane, TlsLevel.Encrypt, Answerer.Nobody)]
    [InlineData(DiscoveredAnswer.Secure, TlsLevel.Encrypt, Answerer.Discovery)]
    [InlineData(DiscoveredAnswer.Secure, TlsLevel.DaneOnly, Answerer.Nobody)]
    [InlineData(DiscoveredAnswer.DaneOnly, TlsLevel.DaneOnly, Answerer.Discovery)]
    [InlineData(DiscoveredAnswer.NotFound, TlsLevel.Secure, Answerer.Discovery)]
    public void What_was_discovered_before_the_level_of_main_cf_rose_is_not_answered_below_it(DiscoveredAnswer verdict, TlsLevel level, Answerer answerer)
    {
        var rule = Rule(Origin.Discovery) with { Postfix = Postfix with { SecurityLevel = level } };
        Assert.Equal(answerer, rule.Of("a.example"u8, Of(verdict), null));
    }

    [Fact]
    public void What_cannot_be_said_for_the_time_being_nobody_says_in_its_place()
    {
        var failing = new DefaultSide(LookupAnswerKind.Temporary, Protection.PlainTextPossible);
        Assert.Equal(Answerer.Default, Rule(Origin.Discovery).Of("a.example"u8, Of(DiscoveredAnswer.DaneOnly), failing));
        Assert.Equal(Answerer.Discovery, Rule(Origin.Discovery).Of("a.example"u8, new DiscoverySide(LookupAnswerKind.Temporary, null), Encrypts));
    }

    [Fact]
    public void Without_an_answer_of_discovery_the_default_is_served_to_bare_domains()
    {
        Assert.Equal(Answerer.Default, Rule(Origin.Default).Of("a.example"u8, Of(DiscoveredAnswer.DaneOnly), Encrypts));
        Assert.Equal(Answerer.Default, Rule(Origin.Discovery).Of("a.example"u8, null, Encrypts)); // it only observes
        Assert.Equal(Answerer.Nobody, Rule(Origin.Parent).Of("a.example"u8, Of(DiscoveredAnswer.DaneOnly), Encrypts));
        Assert.Equal(Answerer.Nobody, Rule(Origin.None).Of("a.example"u8, null, null));
    }

    private static AnswerRule Rule(Origin origin, EntryRole role = EntryRole.Absent) => new(origin, role, DiscoveryFloor.None, IsNearMiss: false, Postfix);

    private static DiscoverySide Of(DiscoveredAnswer verdict) =>
        new(verdict == DiscoveredAnswer.NotFound ? LookupAnswerKind.NotFound : LookupAnswerKind.Found, verdict);
}
