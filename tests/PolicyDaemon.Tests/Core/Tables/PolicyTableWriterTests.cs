using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Tests.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Tables;

public class PolicyTableWriterTests
{
    [Fact]
    public void Rows_are_sorted_by_key_and_carry_the_answers()
    {
        var rows = Rows(Write(
            Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, Match = ["mx.example.com"], ServerName = "hostname" }, "b.example"),
            Entries.Pinned(Entries.Sha256A, Entries.Sha256B),
            Entries.Of(TlsLevel.Encrypt, ".a.example")));

        Assert.Equal(
            [".a.example encrypt", "b.example secure match=mx.example.com servername=hostname", $"example.com fingerprint match={Entries.Sha256A}|{Entries.Sha256B}"],
            rows);
    }

    [Fact]
    public void An_observed_entry_is_a_comment()
    {
        var text = Write(Entries.Pinned(Entries.Sha1A) with { Observe = true });

        Assert.Empty(Rows(text));
        Assert.Contains("# observed, not enforced: example.com fingerprint\n", text, StringComparison.Ordinal);
    }

    [Fact] // left out, its mail would leave at the default level
    public void An_entry_that_cannot_be_served_becomes_a_policy_that_Postfix_refuses()
    {
        var text = Write(Entries.Pinned(Entries.Sha1A));

        Assert.Equal([$"example.com {PolicyTableWriter.DeferringPolicy}"], Rows(text));
        Assert.Contains("# cannot serve example.com: every pin is in another digest", text, StringComparison.Ordinal);
        Assert.NotEmpty(PolicyTextReader.Read(PolicyTableWriter.DeferringPolicy, PostfixVersion.Newest).Problems);
    }

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("[mx.example.com]:587", "[mx.example.com]:587 [mx.example.com]:submission")]
    [InlineData("mx.example.com:25", "mx.example.com:25 mx.example.com:smtp mx.example.com:mail")]
    [InlineData("mx.example.com:2525", "mx.example.com:2525")]
    [InlineData("[2001:db8::1]", "[2001:db8::1] [ipv6:2001:db8::1]")]
    [InlineData("[2001:db8::1]:587", "[2001:db8::1]:587 [2001:db8::1]:submission [ipv6:2001:db8::1]:587 [ipv6:2001:db8::1]:submission")]
    [InlineData("xn--mnchen-3ya.example", "xn--mnchen-3ya.example münchen.example")]
    [InlineData(".xn--mnchen-3ya.example", ".xn--mnchen-3ya.example .münchen.example")]
    [InlineData("[192.0.2.1]", "[192.0.2.1]")]
    [InlineData("/var/run/lmtp", "/var/run/lmtp")]
    public void Every_spelling_under_which_Postfix_may_ask_has_a_row(string key, string spellings) =>
        Assert.Equal(spellings.Split(' ').Select(spelling => spelling + " may"), Rows(Write(Entries.Of(TlsLevel.May, key))));

    [Fact]
    public void What_is_exported_is_imported_as_it_was()
    {
        Destination[] destinations =
        [
            Entries.Of(TlsLevel.May, "[2001:db8::1]:587"),
            Entries.Of(TlsLevel.Encrypt, "xn--mnchen-3ya.example"),
            Entries.Of(new TlsPolicy { Level = TlsLevel.Verify, Match = ["a.example"], Ciphers = "high" }, ".b.example"),
            Entries.Of(TlsLevel.Secure, "b.example"),
            Entries.Pinned(Entries.Sha256A, Entries.Sha256B),
        ];

        var table = Table.Read(Write(destinations));

        Assert.Empty(table.Problems);
        Assert.Equal(destinations.OrderBy(destination => destination.Key), table.Rows.OrderBy(destination => destination.Key));
    }

    [Fact]
    public void The_counts_say_what_became_of_the_entries()
    {
        using var output = new StringWriter();

        Assert.Equal(
            (1, 1, 1),
            PolicyTableWriter.Write(output, [Entries.Of(TlsLevel.May, "a.example"), Entries.Of(TlsLevel.May, "b.example") with { Observe = true }, Entries.Pinned()], Entries.Sha256, DateTimeOffset.UnixEpoch));
    }

    private static string Write(params Destination[] destinations)
    {
        using var output = new StringWriter();
        PolicyTableWriter.Write(output, destinations, Entries.Sha256, DateTimeOffset.UnixEpoch);
        return output.ToString();
    }

    /// <summary>The rows without comments, runs of blanks folded.</summary>
    private static List<string> Rows(string table)
    {
        var rows = new List<string>();
        foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#'))
            rows.Add(new StringBuilder().AppendJoin(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToString());
        return rows;
    }
}
