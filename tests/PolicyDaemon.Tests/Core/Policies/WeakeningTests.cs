using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

public class WeakeningTests
{
    private static readonly TlsLevel[] Ladder = [TlsLevel.None, TlsLevel.May, TlsLevel.Encrypt, TlsLevel.Fingerprint, TlsLevel.Secure];

    public static TheoryData<TlsLevel, TlsLevel> EveryChangeOfLevel()
    {
        var data = new TheoryData<TlsLevel, TlsLevel>();
        foreach (var before in Enum.GetValues<TlsLevel>().Where(TlsLevels.IsOfPostfix))
        {
            foreach (var after in Enum.GetValues<TlsLevel>().Where(level => level.IsOfPostfix() && level != before))
                data.Add(before, after);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryChangeOfLevel))]
    public void A_level_may_only_go_up_the_ladder_or_from_it_to_dane_only(TlsLevel before, TlsLevel after)
    {
        var upwards = (before, after) switch
        {
            (TlsLevel.Fingerprint, TlsLevel.Secure) => false,
            (_, TlsLevel.DaneOnly) => Ladder.Contains(before),
            _ => Ladder.Contains(before) && Ladder.Contains(after) && before < after,
        };

        Assert.Equal(upwards, Of(Level(before), Level(after)).Count == 0);
    }

    [Fact]
    public void A_new_destination_without_a_parent_weakens_nothing_known()
    {
        foreach (var level in Enum.GetValues<TlsLevel>().Where(level => level != TlsLevel.Default))
            Assert.Empty(Of(null, Level(level)));
    }

    [Theory]
    [InlineData("none", "default", false)]
    [InlineData("may", "default", false)]
    [InlineData("encrypt", "default", true)]
    [InlineData("dane", "default", true)]
    [InlineData("secure", "default", true)]
    [InlineData("fingerprint", "default", true)]
    [InlineData("discovered", "default", true)]
    [InlineData("discovered secure", "default", true)]
    [InlineData("(new)", "default", true)] // it keeps discovery away
    [InlineData("(observed)", "default", true)]
    [InlineData("default", "may", false)] // as a first entry
    [InlineData("default", "secure", false)]
    [InlineData("default", "discovered", false)]
    [InlineData("none", "discovered", false)]
    [InlineData("may", "discovered", false)]
    [InlineData("may", "discovered dane-only", false)]
    [InlineData("encrypt", "discovered", true)]
    [InlineData("encrypt", "discovered encrypt", false)]
    [InlineData("encrypt", "discovered secure", false)]
    [InlineData("secure", "discovered", true)]
    [InlineData("secure", "discovered encrypt", true)]
    [InlineData("secure", "discovered secure", true)] // other names
    [InlineData("secure", "discovered dane-only", false)]
    [InlineData("fingerprint", "discovered secure", true)]
    [InlineData("fingerprint", "discovered dane-only", false)]
    [InlineData("dane", "discovered encrypt", true)]
    [InlineData("dane", "discovered dane-only", true)] // no level is compared with dane
    [InlineData("dane-only", "discovered secure", true)]
    [InlineData("dane-only", "discovered dane-only", false)]
    [InlineData("discovered", "discovered encrypt", false)]
    [InlineData("discovered encrypt", "discovered", true)]
    [InlineData("discovered secure", "discovered encrypt", true)]
    [InlineData("discovered secure", "discovered dane-only", false)]
    [InlineData("discovered dane-only", "discovered secure", true)]
    [InlineData("discovered", "none", true)]
    [InlineData("discovered", "may", true)]
    [InlineData("discovered", "dane", true)]
    [InlineData("discovered", "encrypt", true)] // more may be published
    [InlineData("discovered encrypt", "secure", false)]
    [InlineData("discovered secure", "secure", true)]
    [InlineData("discovered secure", "dane-only", false)]
    [InlineData("discovered dane-only", "dane-only", false)]
    public void What_is_left_to_others_is_compared_by_what_is_certain(string before, string after, bool weakens) =>
        Assert.Equal(weakens, Of(Told(before), Told(after)).Count > 0);

    [Theory]
    [InlineData("example.com", "may", true)]
    [InlineData("example.com", "encrypt", false)]
    [InlineData("example.com", "secure", false)]
    [InlineData("example.com", "default", true)]
    [InlineData("example.com", "discovered", true)]
    [InlineData("example.com", "discovered encrypt", false)]
    [InlineData(".example.com", "may", true)] // its subdomains followed * and do not any more
    [InlineData("[mx.example.com]", "may", false)]
    [InlineData("example.com:587", "may", false)]
    public void What_followed_the_default_is_compared_with_it(string key, string after, bool weakens)
    {
        var everybody = Entries.Of(TlsLevel.Encrypt, "*");
        Assert.Equal(weakens, Of(null, Told(after)! with { Key = NextHop.Parse(key) }, everybody).Count > 0);
        Assert.Equal(after == "default", Of(null, Told(after)! with { Key = NextHop.Parse(key) }, everybody with { Observe = true }).Count > 0);
    }

    [Theory]
    [InlineData(null, "none", true)]
    [InlineData(null, "may", true)]
    [InlineData(null, "dane", true)]
    [InlineData(null, "encrypt", false)]
    [InlineData(null, "secure", false)]
    [InlineData("encrypt", "secure", false)]
    [InlineData("secure", "encrypt", true)]
    [InlineData("secure", null, true)]
    public void The_default_may_only_go_up_too(string? before, string? after, bool weakens)
    {
        var changed = Weakening.Now(Star(before), Star(after), Entries.Sha256, _ => null);
        Assert.Equal(weakens, changed.Count > 0);

        static Destination? Star(string? level) => level is null ? null : Told(level)! with { Key = NextHop.Default };
    }

    [Fact]
    public void Under_an_enforced_parent_what_is_left_to_discovery_weakens()
    {
        var parent = Entries.Of(TlsLevel.Secure, ".example.com");
        Assert.Contains(".example.com", Assert.Single(Of(null, Entries.Of(TlsLevel.AsDiscovered, "a.example.com"), parent)), StringComparison.Ordinal);
    }

    [Fact]
    public void Under_an_enforced_parent_level_default_is_what_the_parent_says()
    {
        var (secure, exempt) = (Entries.Of(TlsLevel.Secure, ".example.com"), Entries.Of(TlsLevel.Default, "a.example.com"));

        Assert.Empty(Of(null, exempt, secure));
        Assert.Empty(Of(exempt, Entries.Of(TlsLevel.Secure, "a.example.com"), secure));
        Assert.Contains(".example.com", Assert.Single(Of(exempt, Entries.Of(TlsLevel.May, "a.example.com"), secure)), StringComparison.Ordinal);
        Assert.NotEmpty(Of(Entries.Of(TlsLevel.Secure, "a.example.com"), exempt, Entries.Of(TlsLevel.Encrypt, ".example.com")));
        Assert.Empty(Of(Entries.Of(TlsLevel.Encrypt, "a.example.com"), exempt, secure));
        Assert.NotEmpty(Of(Entries.Of(TlsLevel.Encrypt, "a.example.com"), exempt)); // without a parent main.cf decides
    }

    [Fact]
    public void A_parent_at_level_default_hands_on_to_its_own_and_keeps_the_default_away()
    {
        var (key, middle) = (Entries.Of(TlsLevel.May, "a.b.example.com"), Entries.Of(TlsLevel.Default, ".b.example.com"));

        Assert.Single(Of(null, key, middle, Entries.Of(TlsLevel.Secure, ".example.com")));
        Assert.Empty(Of(null, key, middle, Entries.Of(TlsLevel.Secure) with { Key = NextHop.Default }));
        Assert.Single(Of(null, key, Entries.Of(TlsLevel.Secure) with { Key = NextHop.Default }));
    }

    [Theory]
    [InlineData("a.example.com", ".example.com", true)]
    [InlineData("a.b.example.com", ".example.com", true)]
    [InlineData(".b.example.com", ".example.com", true)]
    [InlineData("example.com", ".example.com", false)]
    [InlineData("[a.example.com]", ".example.com", false)]
    [InlineData("a.example.com:587", ".example.com", false)]
    public void A_weaker_key_under_an_enforced_parent_weakens(string key, string parent, bool weakens)
    {
        var reasons = Of(null, Entries.Of(TlsLevel.May, key), Entries.Of(TlsLevel.Secure, parent));

        Assert.Equal(weakens, reasons.Count > 0);
        Assert.All(reasons, reason => Assert.Contains(parent, reason, StringComparison.Ordinal));
        Assert.Empty(Of(null, Entries.Of(TlsLevel.May, key), Entries.Of(TlsLevel.Secure, parent) with { Observe = true }));
        Assert.Empty(Of(null, Entries.Of(TlsLevel.May, key), Entries.Of(TlsLevel.May, parent)));
        Assert.Empty(Of(null, Entries.Of(TlsLevel.May, key) with { Observe = true }, Entries.Of(TlsLevel.Secure, parent)));
    }

    [Fact]
    public void The_nearest_enforced_parent_counts()
    {
        Destination[] parents = [Entries.Of(TlsLevel.May, ".b.example.com"), Entries.Of(TlsLevel.Secure, ".example.com")];

        Assert.Empty(Of(null, Entries.Of(TlsLevel.May, "a.b.example.com"), parents));
        Assert.Single(Of(null, Entries.Of(TlsLevel.May, "a.b.example.com"), parents[0] with { Observe = true }, parents[1]));
    }

    [Fact]
    public void Enforcing_an_observed_entry_is_compared_with_the_parent_it_replaces()
    {
        var observed = Entries.Of(TlsLevel.May, "a.example.com") with { Observe = true };

        Assert.Empty(Of(observed, observed with { Observe = false }));
        Assert.Single(Of(observed, observed with { Observe = false }, Entries.Of(TlsLevel.Encrypt, ".example.com")));
    }

    [Fact]
    public void Removal_weakens_and_says_what_answers_instead()
    {
        Assert.Contains("main.cf", Assert.Single(Of(Level(TlsLevel.Encrypt), null)), StringComparison.Ordinal);
        Assert.Contains(
            ".example.com, at level may",
            Assert.Single(Of(Entries.Of(TlsLevel.Secure, "a.example.com"), null, Entries.Of(TlsLevel.May, ".example.com"))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Observing_an_enforced_entry_weakens()
    {
        var enforced = Level(TlsLevel.Encrypt);

        Assert.Single(Of(enforced, enforced with { Observe = true }));
        Assert.Empty(Of(enforced with { Observe = true }, enforced with { Observe = true, Note = "still" }));
    }

    [Theory]
    [InlineData("", "", false)]
    [InlineData("", "nexthop:dot-nexthop", false)]
    [InlineData("", "nexthop", false)]
    [InlineData("", "example.com", false)]
    [InlineData("", "mx.example.com", false)] // below the destination, which dot-nexthop accepts already
    [InlineData("", "mx.example.net", true)]
    [InlineData("", "hostname", true)]
    [InlineData("nexthop", "", true)]
    [InlineData("mx.example.net", "MX.example.net", false)]
    [InlineData("mx.example.net", "mx.example.net:my.example.net", true)]
    [InlineData("mx.example.net:my.example.net", "my.example.net", false)]
    [InlineData(".example.net", "a.b.example.net", false)]
    [InlineData(".example.net", ".b.example.net", false)]
    [InlineData(".example.net", "example.net", true)]
    [InlineData("mx.example.net", ".example.net", true)]
    public void A_wider_match_weakens(string before, string after, bool weakens)
    {
        var reasons = Of(Secure(policy => policy with { Match = Names(before) }), Secure(policy => policy with { Match = Names(after) }));

        Assert.Equal(weakens, reasons.Count > 0);
    }

    [Theory]
    [InlineData("high", "medium", true)]
    [InlineData("medium", "high", false)]
    [InlineData("low", "medium", false)]
    [InlineData("low", "null", true)]
    [InlineData("high", null, true)]
    [InlineData(null, "high", false)]
    [InlineData(null, "medium", true)]
    [InlineData("high", "HIGH", false)]
    public void Weaker_ciphers_weaken(string? before, string? after, bool weakens) =>
        AssertWeakens(weakens, policy => policy with { Ciphers = before }, policy => policy with { Ciphers = after });

    [Theory]
    [InlineData(">=TLSv1.2", ">=TLSv1.3", false)]
    [InlineData(">=TLSv1.2", ">=TLSv1", true)]
    [InlineData(">=TLSv1.2", "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", false)]
    [InlineData(">=TLSv1.2", "!SSLv2:!SSLv3:!TLSv1", true)]
    [InlineData(">=TLSv1.2", ">=TLSv1.2:<=TLSv1.2", true)]
    [InlineData(">=TLSv1.2", "TLSv1.2", true)]
    [InlineData(">=TLSv1", ">=TLSv1.2", false)]
    [InlineData(">=TLSv1.2", null, true)]
    [InlineData(null, ">=TLSv1.2", false)]
    [InlineData(null, ">=TLSv1", true)]
    public void Weaker_protocols_weaken(string? before, string? after, bool weakens) =>
        AssertWeakens(weakens, policy => policy with { Protocols = before }, policy => policy with { Protocols = after });

    [Theory]
    [InlineData("aNULL:MD5", "MD5:aNULL:3DES", false)]
    [InlineData("aNULL:MD5", "MD5", true)]
    [InlineData("MD5", null, true)]
    [InlineData(null, "MD5", true)] // it replaces what main.cf excludes
    public void Dropped_exclusions_weaken(string? before, string? after, bool weakens) =>
        AssertWeakens(weakens, policy => policy with { Exclude = before }, policy => policy with { Exclude = after });

    [Theory]
    [InlineData("", "/a", true)]
    [InlineData("/a", "", true)]
    [InlineData("/a:/b", "/a", false)]
    [InlineData("/a", "/b", true)]
    public void Other_trust_anchors_weaken(string before, string after, bool weakens) =>
        AssertWeakens(weakens, policy => policy with { TaFiles = Names(before) }, policy => policy with { TaFiles = Names(after) });

    [Fact]
    public void Raising_the_level_does_not_hide_weaker_attributes() =>
        Assert.Single(Of(
            Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, Ciphers = "high" }),
            Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, Ciphers = "low" })));

    [Theory]
    [InlineData("servername")]
    [InlineData("connection_reuse")]
    [InlineData("enable_rpk")]
    public void What_is_asked_of_the_peer_weakens_nothing(string attribute)
    {
        Assert.True(PolicyAttributes.TryFind(attribute, out var row));
        AssertWeakens(false, policy => policy, policy => row.Add(policy, attribute == "servername" ? "hostname" : "yes"));
    }

    [Theory]
    [InlineData(null, "1", true)]
    [InlineData("1", "2", true)]
    [InlineData("2", null, true)]
    [InlineData("1", "1", false)]
    public void An_attribute_that_no_rule_speaks_of_weakens_when_it_changes(string? before, string? after, bool weakens)
    {
        var row = new PolicyAttribute("foo", PostfixVersion.Newest, TlsLevels.UsesTls)
        {
            Get = policy => policy.Ciphers is { } value ? [value] : [],
            Add = (policy, value) => policy with { Ciphers = value },
            Check = (_, _) => null,
        };
        var reasons = Weakening.OfUncompared(
            [row, .. PolicyAttributes.All], new TlsPolicy { Level = TlsLevel.Secure, Ciphers = before }, new TlsPolicy { Level = TlsLevel.Secure, Ciphers = after }, "example.com");

        Assert.Equal(weakens ? 1 : 0, reasons.Count(reason => reason.StartsWith("foo of example.com changes", StringComparison.Ordinal)));
    }

    [Fact]
    public void Of_an_attribute_with_a_rule_some_other_value_weakens()
    {
        var secure = new TlsPolicy { Level = TlsLevel.Secure, Match = ["nexthop"] };
        var reported = secure with { TlsRpt = new("no-policy-found", null, [], ["mx.example.com"], "validation-failure") };
        var weaker = new Dictionary<string, (TlsPolicy Before, TlsPolicy After)>
        {
            ["match"] = (secure, secure with { Match = ["hostname"] }),
            ["ciphers"] = (secure, secure with { Ciphers = "low" }),
            ["protocols"] = (secure, secure with { Protocols = ">=TLSv1" }),
            ["exclude"] = (secure, secure with { Exclude = "aNULL" }),
            ["tafile"] = (secure, secure with { TaFiles = ["/a.pem"] }),
            ["policy_type"] = (reported, reported with { TlsRpt = reported.TlsRpt with { PolicyType = "sts" } }),
            ["mx_host_pattern"] = (secure, secure with { TlsRpt = new("sts", null, [], ["mx.example.com"], null) }),
            ["policy_failure"] = (reported, reported with { TlsRpt = reported.TlsRpt with { PolicyFailure = null } }),
        };

        Assert.All(
            PolicyAttributes.All.Where(row => row.Change == ValueChange.IsCompared),
            row => Assert.NotEmpty(Of(Entries.Of(weaker[row.Name].Before), Entries.Of(weaker[row.Name].After))));
    }

    [Fact]
    public void Adding_approving_and_revoking_pins_weaken_nothing()
    {
        var one = Entries.Pinned(Entries.Sha256A);
        var two = Entries.Pinned(Entries.Sha256A, Entries.Sha256B);

        Assert.Empty(Of(one, two));
        Assert.Empty(Of(two, one));
        Assert.Empty(Of(one with { Pins = one.Pins.Add(Entries.Pin(Entries.Sha256B, PinState.Candidate)) }, two));
    }

    [Theory]
    [InlineData(PinState.Retired)]
    [InlineData(PinState.Rejected)]
    [InlineData(PinState.Candidate)]
    public void Losing_the_last_pin_weakens(PinState state)
    {
        var one = Entries.Pinned(Entries.Sha256A);

        Assert.Contains("last pin", Assert.Single(Of(one, one with { Pins = [Entries.Pin(Entries.Sha256A, state)] })), StringComparison.Ordinal);
        Assert.Contains("last pin", Assert.Single(Of(one, one with { Pins = [] })), StringComparison.Ordinal);
        Assert.Contains("last pin", Assert.Single(Of(one, Entries.Pinned(Entries.Sha1A))), StringComparison.Ordinal);
    }

    [Fact]
    public void Trusting_at_first_sight_weakens_once()
    {
        var tofu = Entries.Pinned(Entries.Sha256A) with { Pins = [Entries.Pin(Entries.Sha256A) with { Strength = PinStrength.Tofu }] };

        Assert.Contains("first sight", Assert.Single(Of(null, tofu)), StringComparison.Ordinal);
        Assert.Contains("first sight", Assert.Single(Of(tofu with { Observe = true }, tofu)), StringComparison.Ordinal);
        Assert.Empty(Of(tofu, tofu with { Note = "compared" }));
        Assert.Empty(Of(null, tofu with { Observe = true }));
    }

    [Fact]
    public void A_pin_trusted_at_first_sight_carried_over_to_another_digest_weakens_nothing_more()
    {
        var sha1 = Entries.Pin(Entries.Sha1A) with { Strength = PinStrength.Tofu };
        var sha256 = Entries.Pin(Entries.Sha256A) with { Strength = PinStrength.Tofu };
        var before = Entries.Pinned(Entries.Sha1A) with { Pins = [sha1] };

        Assert.Empty(Of(before, before with { Pins = [sha1 with { State = PinState.Retired }, sha256] }));
        Assert.NotEmpty(Of(before, before with { Pins = [sha1, sha256] }));
        Assert.NotEmpty(Of(before with { Observe = true }, before with { Pins = [sha1 with { State = PinState.Retired }, sha256] }));
    }

    [Fact]
    public void Bringing_back_a_rejected_pin_weakens()
    {
        var before = Entries.Pinned(Entries.Sha256A) with
        {
            Pins = [Entries.Pin(Entries.Sha256A), Entries.Pin(Entries.Sha256B, PinState.Rejected)],
        };

        Assert.Contains("was rejected", Assert.Single(Of(before, Entries.Pinned(Entries.Sha256A, Entries.Sha256B))), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_changed_weakens_nothing()
    {
        foreach (var level in Enum.GetValues<TlsLevel>())
            Assert.Empty(Of(Level(level), Level(level)));
    }

    [Fact]
    public void Several_ways_are_all_said() =>
        Assert.Equal(3, Of(
            Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, Ciphers = "high", Protocols = ">=TLSv1.3" }),
            Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt })).Count);

    private static IReadOnlyList<string> Of(Destination? before, Destination? after, params Destination[] others) =>
        Weakening.Now(before, after, Entries.Sha256, (NextHop key) => Array.Find(others, other => other.Key == key));

    private static Destination? Told(string text)
    {
        var words = text.Split(' ');
        if (words[0] == "(new)")
            return null;
        if (words[0] == "(observed)")
            return Entries.Of(TlsLevel.Secure) with { Observe = true };
        Assert.True(TlsLevels.TryParse(words[0], out var level));
        return Level(level) with { Floor = words.Length > 1 && DiscoveryFloors.TryParse(words[1], out var floor) ? floor : DiscoveryFloor.None };
    }

    private static Destination Level(TlsLevel level) =>
        level == TlsLevel.Fingerprint ? Entries.Pinned(Entries.Sha256A) : Entries.Of(level);

    private static Destination Secure(Func<TlsPolicy, TlsPolicy> with) => Entries.Of(with(new TlsPolicy { Level = TlsLevel.Secure }));

    private static System.Collections.Immutable.ImmutableArray<string> Names(string joined) =>
        [.. joined.Split(':', StringSplitOptions.RemoveEmptyEntries)];

    private static void AssertWeakens(bool weakens, Func<TlsPolicy, TlsPolicy> before, Func<TlsPolicy, TlsPolicy> after) =>
        Assert.Equal(weakens, Of(Secure(before), Secure(after)).Count > 0);
}
