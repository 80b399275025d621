using System.Text;
using PolicyDaemon.Core.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations;

public class LookupKeyTests
{
    private static readonly string Label63 = new('a', 63);

    // 253 characters: three labels of 63 and one of 61, with three dots.
    private static readonly string Host253 = $"{Label63}.{Label63}.{Label63}.{new string('b', 61)}";

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData(".example.com", ".example.com")]
    [InlineData("[mx.example.com]", "[mx.example.com]")]
    [InlineData("[mx.example.com]:587", "[mx.example.com]:587")]
    [InlineData("mx.example.com:587", "mx.example.com:587")]
    [InlineData("localhost", "localhost")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("[192.0.2.1]:25", "[192.0.2.1]:25")]
    [InlineData("under_score.example", "under_score.example")]
    [InlineData("xn--mnchen-3ya.example", "xn--mnchen-3ya.example")]
    [InlineData("mx.example.com:2525", "mx.example.com:2525")]
    [InlineData("mx.example.com:lmtp", "mx.example.com:lmtp")]
    public void A_canonical_key_stays_as_it_is(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory]
    [InlineData("example.com", true)]
    [InlineData("xn--mnchen-3ya.example", true)]
    [InlineData("192.0.2.1", true)]
    [InlineData("under_score-.example", true)]
    [InlineData("Example.com", false)]
    [InlineData(".example.com", false)]
    [InlineData("example.com.", false)]
    [InlineData("example..com", false)]
    [InlineData("[mx.example.com]", false)]
    [InlineData("mx.example.com:25", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("a/b", false)]
    [InlineData(" example.com", false)]
    [InlineData("m\u00fcnchen.example", false)]
    [InlineData("", false)]
    [InlineData(".", false)]
    public void A_plain_host_in_lower_case_is_known_to_be_canonical(string key, bool known) =>
        Assert.Equal(known, LookupKey.IsCanonicalHost(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void What_is_known_to_be_canonical_is_what_folding_leaves_as_it_is()
    {
        var random = new Random(11);
        const string alphabet = "abz09-_...A:[]/ \t%\u00fc";
        Span<byte> canonical = stackalloc byte[LookupKey.MaxCanonicalLength];
        var count = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var length = random.Next(10) == 0 ? random.Next(60, 260) : random.Next(12);
            var plain = random.Next(2) == 0 ? 10 : alphabet.Length;
            var raw = Encoding.UTF8.GetBytes(string.Create(length, random, (text, from) =>
            {
                foreach (ref var one in text)
                    one = alphabet[from.Next(plain)];
            }));
            if (!LookupKey.IsCanonicalHost(raw))
                continue;
            count++;
            Assert.Equal(LookupKeyStatus.Canonical, LookupKey.Normalize(raw, canonical, out var used));
            Assert.Equal(raw, canonical[..used].ToArray());
        }

        Assert.InRange(count, 10_000, 200_000);
    }


    [Theory] // postfix-tables section 9 items 3 and 4
    [InlineData("EXAMPLE.Com", "example.com")]
    [InlineData(".Example.COM", ".example.com")]
    [InlineData("[MX.Example.com]:587", "[mx.example.com]:587")]
    [InlineData("example.com.", "example.com")]
    [InlineData("[example.com.]:25", "[example.com]:25")]
    [InlineData("example.com.:25", "example.com:25")]
    [InlineData(".example.com.", ".example.com")]
    [InlineData(" example.com\t", "example.com")]
    [InlineData("\r\nexample.com\r\n", "example.com")]
    [InlineData("XN--Mnchen-3ya.Example", "xn--mnchen-3ya.example")]
    public void Letter_case_blanks_and_a_trailing_dot_are_folded(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory] // postfix-tables section 9 item 5: equal to people, not to Postfix
    [InlineData("mx.example.com:submission", "mx.example.com:587")]
    [InlineData("[mx.example.com]:SUBMISSION", "[mx.example.com]:587")]
    [InlineData("mx.example.com:smtp", "mx.example.com:25")]
    [InlineData("mx.example.com:smtps", "mx.example.com:465")]
    [InlineData("mx.example.com:submissions", "mx.example.com:465")]
    [InlineData("mx.example.com:0587", "mx.example.com:587")]
    [InlineData("mx.example.com:65535", "mx.example.com:65535")]
    public void A_port_is_a_number(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory] // postfix-tables section 3.3: no conversion in Postfix
    [InlineData("münchen.example", "xn--mnchen-3ya.example")]
    [InlineData("MÜNCHEN.example", "xn--mnchen-3ya.example")]
    [InlineData("mu\u0308nchen.example", "xn--mnchen-3ya.example")]
    [InlineData(".münchen.example", ".xn--mnchen-3ya.example")]
    [InlineData("[münchen.example]:submission", "[xn--mnchen-3ya.example]:587")]
    [InlineData("münchen.example:25", "xn--mnchen-3ya.example:25")]
    [InlineData("münchen.example.", "xn--mnchen-3ya.example")]
    [InlineData("例え。jp", "xn--r8jz45g.jp")]
    public void A_name_outside_ascii_is_its_A_labels(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory]
    [InlineData("[2001:db8::1]", "[2001:db8::1]")]
    [InlineData("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]")]
    [InlineData("[IPv6:2001:db8::1]:587", "[2001:db8::1]:587")]
    [InlineData("[ipv6:::1]", "[::1]")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("ipv6:2001:db8::1", "2001:db8::1")]
    [InlineData("::1", "::1")]
    [InlineData("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]")]
    public void An_address_has_one_text(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory] // LMTP: postfix-tables section 3.1
    [InlineData("/var/run/lmtp", "/var/run/lmtp")]
    [InlineData("private/Dovecot-LMTP", "private/Dovecot-LMTP")]
    [InlineData("./x", "./x")]
    public void A_path_keeps_its_letters(string key, string canonical) => AssertCanonical(canonical, key);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("..example.com")]
    [InlineData("example..com")]
    [InlineData("example.com..")]
    [InlineData("[]")]
    [InlineData("[example.com")]
    [InlineData("example.com]")]
    [InlineData("[example.com]587")]
    [InlineData("[example.com]:")]
    [InlineData("example.com:")]
    [InlineData(":587")]
    [InlineData("example.com:0")]
    [InlineData("example.com:65536")]
    [InlineData("example.com:99999999999")]
    [InlineData("example.com:no such")]
    [InlineData("example.com:a.service.with.dots")]
    [InlineData("example.com:sixteen-letters-")]
    [InlineData(".example.com:25")]
    [InlineData("exa mple.com")]
    [InlineData("example.com other.example")]
    [InlineData("user@example.com")]
    [InlineData("*.example.com")]
    [InlineData("example.com\u0000")]
    [InlineData("\u0000")]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[2001:db8::1::2]")]
    [InlineData("[[::1]]")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("/a b")]
    public void What_no_entry_can_be_configured_for_is_no_destination(string key)
    {
        Assert.Equal((LookupKeyStatus.NotADestination, ""), Normalize(Encoding.UTF8.GetBytes(key)));
        Assert.False(NextHop.TryParse(key, out _, out var reason));
        Assert.NotEmpty(reason);
    }

    [Fact]
    public void A_name_has_at_most_253_characters_and_a_label_63()
    {
        AssertCanonical(Host253, Host253);
        AssertCanonical($"[{Host253}]:65535", $"[{Host253}]:65535");
        AssertCanonical("." + Host253, "." + Host253);
        AssertCanonical(Host253, Host253 + ".");
        AssertNot(Host253 + "c");
        AssertNot(new string('a', 64) + ".example");
        AssertNot(new string('a', 100_000));
    }

    [Theory] // what was meant cannot be told: TEMP, never NOTFOUND
    [InlineData(new byte[] { 0xff, 0xfe })]
    [InlineData(new byte[] { (byte)'m', 0xfc, (byte)'.', (byte)'d', (byte)'e' })] // Latin-1
    [InlineData(new byte[] { 0xc3 })]
    [InlineData(new byte[] { 0xc0, 0xae })] // an overlong dot
    [InlineData(new byte[] { (byte)'a', 0xc2, 0xa0, (byte)'b' })] // a no-break space
    public void Bytes_outside_ascii_that_cannot_be_mapped_are_unmappable(byte[] key) =>
        Assert.Equal((LookupKeyStatus.Unmappable, ""), Normalize(key));

    [Fact]
    public void An_overlong_name_outside_ascii_is_unmappable() =>
        Assert.Equal(LookupKeyStatus.Unmappable, Normalize(Encoding.UTF8.GetBytes(new string('ü', 5000))).Status);

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData(".example.com", ".example.com")]
    [InlineData("[mx.example.com]", "mx.example.com")]
    [InlineData("[mx.example.com]:587", "mx.example.com")]
    [InlineData("mx.example.com:587", "mx.example.com")]
    [InlineData("[2001:db8::1]:25", "2001:db8::1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("/var/run/lmtp", "/var/run/lmtp")]
    [InlineData("/var/run/a:b", "/var/run/a:b")]
    [InlineData("", "")]
    public void The_bare_host_has_no_brackets_and_no_port(string key, string host) =>
        Assert.Equal(host, Encoding.ASCII.GetString(LookupKey.BareHost(Encoding.ASCII.GetBytes(key))));

    [Fact]
    public void A_buffer_that_is_too_small_is_a_broken_assumption() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => LookupKey.Normalize("a"u8, new byte[LookupKey.MaxCanonicalLength - 1], out _));

    [Fact]
    public void An_ascii_name_is_normalized_without_an_allocation()
    {
        byte[][] keys = [.. new[] { "MX.Example.COM.", "[mx.example.com]:submission", ".Example.com", "a b", "192.0.2.1:25" }.Select(Encoding.ASCII.GetBytes)];
        var canonical = new byte[LookupKey.MaxCanonicalLength];
        long before = 0;
        for (var round = 0; round < 100; round++)
        {
            if (round == 50)
                before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var key in keys)
                LookupKey.Normalize(key, canonical, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Random_bytes_never_throw_and_a_canonical_key_is_its_own_canonical_key()
    {
        var random = new Random(20261123);
        var pieces = new[] { "a", "B", ".", "-", "_", ":", "[", "]", "25", "submission", "::1", "ipv6:", "ü", "。", "xn--", "/", " ", "\t", "\0", "%", "ß", "\u200d", "🦊", "é\u0301" };
        for (var round = 0; round < 100_000; round++)
        {
            var raw = new byte[random.Next(12)];
            random.NextBytes(raw);
            if (round % 4 != 0)
                raw = Encoding.UTF8.GetBytes(string.Concat(random.GetItems(pieces, random.Next(10))));
            if (round % 3 == 0 && raw.Length > 0)
                raw[random.Next(raw.Length)] ^= (byte)(1 << random.Next(8));

            var (status, canonical) = Normalize(raw);
            Assert.Equal(status == LookupKeyStatus.Canonical, canonical.Length > 0);
            if (status != LookupKeyStatus.Canonical)
                continue;
            Assert.All(canonical, character => Assert.InRange(character, '!', '~'));
            Assert.Equal((LookupKeyStatus.Canonical, canonical), Normalize(Encoding.ASCII.GetBytes(canonical)));
            Assert.Equal(canonical, NextHop.Parse(canonical).Text);
        }
    }

    private static (LookupKeyStatus Status, string Canonical) Normalize(byte[] raw)
    {
        var canonical = new byte[LookupKey.MaxCanonicalLength];
        var status = LookupKey.Normalize(raw, canonical, out var length);
        return (status, Encoding.ASCII.GetString(canonical, 0, length));
    }

    private static void AssertCanonical(string canonical, string key)
    {
        Assert.Equal((LookupKeyStatus.Canonical, canonical), Normalize(Encoding.UTF8.GetBytes(key)));
        Assert.True(NextHop.TryParse(key, out var nextHop, out _));
        Assert.Equal(canonical, nextHop.Text);
    }

    private static void AssertNot(string key) =>
        Assert.Equal(LookupKeyStatus.NotADestination, Normalize(Encoding.UTF8.GetBytes(key)).Status);
}
