using System.Text;
using PolicyDaemon.Core.Destinations.Idna;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations.Idna;

public sealed class Uts46Tests
{
    private const string Label63 = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123";

    internal static string? ToAscii(string name) => ToAscii(Encoding.UTF8.GetBytes(name));

    internal static string? ToAscii(ReadOnlySpan<byte> utf8)
    {
        Span<byte> destination = stackalloc byte[Uts46.MaxNameBytes];
        return Uts46.TryToAscii(utf8, destination, out int written) ? Encoding.ASCII.GetString(destination[..written]) : null;
    }

    [Theory]
    [InlineData("M\u00DCNCHEN.example", "xn--mnchen-3ya.example")]
    [InlineData("m\u00FCnchen.EXAMPLE", "xn--mnchen-3ya.example")]
    [InlineData("bu\u0308cher.example", "xn--bcher-kva.example")] // decomposed
    [InlineData("BU\u0308CHER.example", "xn--bcher-kva.example")]
    [InlineData("\uFF42\u00FC\uFF43\uFF48\uFF45\uFF52.\uFF45\uFF58", "xn--bcher-kva.ex")] // fullwidth
    [InlineData("\u043F\u043E\u0447\u0442\u0430.\u0440\u0444", "xn--80a1acny.xn--p1ai")]
    [InlineData("\u4F8B\u3048.\u30C6\u30B9\u30C8", "xn--r8jz45g.xn--zckzah")]
    [InlineData("\u1112\u1161\u11AB\u1100\u116E\u11A8.kr", "xn--3e0b707e.kr")] // conjoining jamo become Hangul syllables
    [InlineData("\uD55C\uAD6D.kr", "xn--3e0b707e.kr")]
    [InlineData("\u1EAF.example", "xn--1kg.example")]
    [InlineData("a\u0306\u0301.example", "xn--1kg.example")] // two marks compose one after the other
    [InlineData("_tls.b\u00FCcher.example", "_tls.xn--bcher-kva.example")] // Postfix lets the underscore be
    public void Names_become_lower_case_A_labels(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("fa\u00DF.de", "xn--fa-hia.de")]
    [InlineData("\u03B2\u03CC\u03BB\u03BF\u03C2.com", "xn--nxasmm1c.com")]
    public void Deviation_characters_stay_as_they_are(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("b\u00FCcher\u3002example")]
    [InlineData("b\u00FCcher\uFF0Eexample")]
    [InlineData("b\u00FCcher\uFF61example")]
    public void Ideographic_and_wide_dots_separate_labels(string name) => Assert.Equal("xn--bcher-kva.example", ToAscii(name));

    [Theory]
    [InlineData("b\u00FC\u00ADcher.example", "xn--bcher-kva.example")] // soft hyphen
    [InlineData("b\u00FC\u200Bcher.example", "xn--bcher-kva.example")] // zero width space
    [InlineData("\u2764\uFE0F.example", "xn--qei.example")] // variation selector
    [InlineData("\u00ADa.example", "a.example")]
    public void Ignored_characters_vanish(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("\u0915\u094D\u200D\u0937.example", "xn--11b2ezcw70k.example")] // after a virama, as ContextJ allows
    [InlineData("\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.example", "xn--mgba3gch31f060k.example")]
    [InlineData("a\u200Db.example", "xn--ab-m1t.example")] // against ContextJ: ICU is not asked for that rule
    [InlineData("a\u200Cb.example", "xn--ab-j1t.example")]
    public void Joiners_are_kept_wherever_they_stand(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("\u05D0\u05D1\u05D2.example", "xn--4dbcd.example")]
    [InlineData("1\u05D0.example", "xn--1-0hc.example")] // against the bidi rule: ICU is not asked for that rule
    [InlineData("\u05D0b.example", "xn--b-zhc.example")]
    public void Right_to_left_labels_need_no_bidi_rule(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("\U0001F600.example", "xn--e28h.example")]
    [InlineData("\u2260.example", "xn--1ch.example")]
    [InlineData("=\u0338.example", "xn--1ch.example")] // the equals sign is gone before the host name check
    public void Symbols_are_mapped_like_letters(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("b\u00FCcher.\uE000")] // private use
    [InlineData("a\u0378b")] // unassigned
    [InlineData("a\u202Eb")] // right-to-left override
    [InlineData("a\uFFFDb")]
    [InlineData("a\u2FF0b")] // ideographic description character
    [InlineData("\u2100.example")] // becomes "a/c"
    [InlineData("\u00FC a.example")]
    [InlineData("\u00FC\u00A0a.example")] // no-break space becomes a space
    [InlineData("\u00FC\0a.example")]
    [InlineData("\u00FC:25")]
    [InlineData("[\u00FC]")]
    public void Characters_that_no_host_name_has_are_refused(string name) => Assert.Null(ToAscii(name));

    /// <summary>ICU before 74 (Debian 12) says "ss", later ones sharp s: which name Postfix means cannot be known.</summary>
    [Theory]
    [InlineData("stra\u1E9Ee.example")]
    [InlineData("xn--strae-301b.\u00FC")] // and it is no U-label either way
    public void What_two_versions_of_Unicode_map_in_two_ways_is_refused(string name) => Assert.Null(ToAscii(name));

    [Theory]
    [InlineData("\u0308bcher.example")]
    [InlineData("\u00FC.\u0301a")]
    public void A_label_that_begins_with_a_combining_mark_is_refused(string name) => Assert.Null(ToAscii(name));

    [Theory]
    [InlineData("-b\u00FCcher.example")]
    [InlineData("b\u00FCcher-.example")]
    [InlineData("b\u00FC--cher.example")]
    [InlineData("ab--c.b\u00FCcher.example")]
    [InlineData("\u00FC.-a")]
    [InlineData("\u00FC.a-")]
    [InlineData("\U00010400--a.example")] // two UTF-16 units, so the hyphens are in places 3 and 4 for ICU
    public void Hyphens_at_the_ends_and_in_places_3_and_4_are_refused(string name) => Assert.Null(ToAscii(name));

    /// <summary>Found by comparison with ICU, which counts UTF-16 units.</summary>
    [Theory]
    [InlineData("a\U00010428--b", "xn--a--b-bl5y")]
    [InlineData("\u00FCb-c--d", "xn--b-c--d-2ya")]
    public void Hyphens_elsewhere_are_allowed(string name, string expected) => Assert.Equal(expected, ToAscii(name));

    [Theory]
    [InlineData("xn--mnchen-3ya.example")]
    [InlineData("XN--MNCHEN-3YA.example")]
    [InlineData("xn--MNCHEN-3ya.ex\u00ADample")]
    public void A_valid_A_label_stays(string name) => Assert.Equal("xn--mnchen-3ya.example", ToAscii(name));

    [Theory]
    [InlineData("xn--.\u00FC")] // nothing in it
    [InlineData("xn--abc-.\u00FC")] // ASCII only
    [InlineData("xn--\u00FC")] // not even ASCII
    [InlineData("xn--a_.\u00FC")] // no digit of Punycode
    [InlineData("xn--mnchen-3y.\u00FC")] // unfinished number
    [InlineData("xn--99999999.\u00FC")] // overflow
    [InlineData("xn--zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.\u00FC")]
    [InlineData("xn--mnchen-psa.\u00FC")] // capital U umlaut inside
    [InlineData("xn--bucher-xyd.\u00FC")] // u and combining diaeresis: not in normal form
    [InlineData("xn--a-vbb0e.\u00FC")] // marks that are not in canonical order, and compose
    [InlineData("xn--a-wbb.\u00FC")] // begins with a combining mark
    [InlineData("xn--ab-5da.\u00FC")] // soft hyphen
    [InlineData("xn--a.-yka.\u00FC")] // the dot ends the label early
    [InlineData("xn--abcd-sw3c.\u00FC")] // ideographic dot
    [InlineData("xn---abc-epa.\u00FC")] // begins with a hyphen
    [InlineData("xn--xn--a-ova.\u00FC")] // begins with xn-- again
    public void A_label_that_is_no_A_label_is_refused(string name) => Assert.Null(ToAscii(name));

    [Fact]
    public void A_label_has_at_most_63_octets()
    {
        Assert.Equal(Label63 + ".xn--tda", ToAscii(Label63 + ".\u00FC"));
        Assert.Null(ToAscii(Label63 + "4.\u00FC"));
        Assert.Equal("xn--" + new string('a', 55) + "-8yf", ToAscii(new string('a', 55) + "\u00FC"));
        Assert.Null(ToAscii(new string('a', 56) + "\u00FC"));
    }

    [Fact]
    public void A_name_has_at_most_253_octets()
    {
        string three = $"{Label63}.{Label63}.{Label63}.";
        Assert.Equal(253, ToAscii(three + new string('a', 53) + ".\u00FC")?.Length);
        Assert.Null(ToAscii(three + new string('a', 54) + ".\u00FC"));
        Assert.Null(ToAscii("\u00FC." + three + new string('a', 54)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("\u3002")]
    [InlineData(".\u00FC")]
    [InlineData("\u00FC.")]
    [InlineData("\u00FC..a")]
    [InlineData("\u00FC.\u00AD.a")] // empty once the soft hyphen is gone
    public void An_empty_label_is_refused(string name) => Assert.Null(ToAscii(name));

    [Theory]
    [InlineData("\uFF11\uFF12")]
    [InlineData("\u2460.\u2461")]
    [InlineData("\uFF11\uFF12\uFF17.0.0.1")]
    public void Digits_alone_are_an_address_to_Postfix_and_refused(string name) => Assert.Null(ToAscii(name));

    [Theory]
    [InlineData("61FC62")] // Latin-1
    [InlineData("C3")] // cut
    [InlineData("61C3")]
    [InlineData("C080")] // overlong
    [InlineData("E0809F")]
    [InlineData("EDA080")] // lone surrogate
    [InlineData("EDBFBF")]
    [InlineData("EDA080EDB080")] // surrogate pair
    [InlineData("F4908080")] // beyond U+10FFFF
    [InlineData("FF")]
    [InlineData("80")]
    public void Invalid_UTF8_is_refused(string hex) => Assert.Null(ToAscii(Convert.FromHexString(hex)));

    [Fact]
    public void Input_over_1024_octets_is_refused_unread()
    {
        // Ignored characters would let it fit.
        byte[] fits = Encoding.UTF8.GetBytes("\u00FC" + string.Concat(Enumerable.Repeat("\u00AD", 511)));
        Assert.Equal(Uts46.MaxInputBytes, fits.Length);
        Assert.Equal("xn--tda", ToAscii(fits));
        Assert.Null(ToAscii(Encoding.UTF8.GetBytes("\u00FC" + string.Concat(Enumerable.Repeat("\u00AD", 512)))));
    }

    [Theory]
    [InlineData("\u0301")]
    [InlineData("\uFDFA")]
    [InlineData("\u1F82")]
    [InlineData("a\u0345\u0301\u0323")]
    public void The_largest_expansions_end_in_a_refusal(string unit)
    {
        int times = Uts46.MaxInputBytes / Encoding.UTF8.GetByteCount(unit);
        Assert.Null(ToAscii(string.Concat(Enumerable.Repeat(unit, times))));
    }

    [Fact]
    public void A_destination_that_is_too_short_stays_untouched()
    {
        byte[] destination = [1, 2, 3, 4, 5, 6];
        Assert.False(Uts46.TryToAscii("\u00FC"u8, destination, out int written));
        Assert.Equal(0, written);
        Assert.Equal<byte>([1, 2, 3, 4, 5, 6], destination);
    }
}
