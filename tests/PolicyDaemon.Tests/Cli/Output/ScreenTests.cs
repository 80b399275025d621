using System.Globalization;
using PolicyDaemon.Cli.Output;
using Xunit;

namespace PolicyDaemon.Tests.Cli.Output;

/// <summary>What a person sees fits the terminal, and nothing is broken inside a word.</summary>
public sealed class ScreenTests
{
    private static readonly string Third = string.Concat(Enumerable.Repeat("cdef", 16));

    public static TheoryData<string, int> Screens
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var command in new[]
            {
                "domain list", "domain show long-name-of-a-partner.example", "pin list", "pin list long-name-of-a-partner.example",
                "explain long-name-of-a-partner.example", "audit", "status", "domain list nothing-like-this-*", "domain --help", "--help", "domain add --help", "import --help",
                "domain add x.example --level fingerprint", "domain set long-name-of-a-partner.example --level may --dry-run", "frobnicate",
                "import {dir}/no-such-file", "apply --diff {dir}/entries", "undo 3 --dry-run", "domain add .y.example --level secure --dry-run", "setup",
            })
            {
                data.Add(command, 80);
                data.Add(command, 120);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Screens))]
    public void Every_line_fits_or_is_a_command_to_copy(string command, int width)
    {
        using var session = new CliSession { Terminal = true, Width = width, ErrorWidth = width };
        session.Variables["NO_COLOR"] = "1";
        session.Succeed(
            "domain", "add", "long-name-of-a-partner.example", "--level", "fingerprint", "--match", CliSession.Pin, "--match", CliSession.OtherPin, "--match", Third,
            "--note", string.Join(' ', Enumerable.Repeat("contract 4711", 20)), "--reason", string.Join(' ', Enumerable.Repeat("because of this", 12)));
        session.Succeed("domain", "set", "long-name-of-a-partner.example", "--mode", "locked");
        session.Write("entries", $"other.example fingerprint match={Third} mode=locked observe=yes\n");

        var result = session.Run(command.Replace("{dir}", session.Directory, StringComparison.Ordinal).Split(' '));

        foreach (var line in (result.Out + result.Error).Split('\n'))
        {
            Assert.True(
                line.Length <= width || line.TrimStart().StartsWith("policyctl ", StringComparison.Ordinal) 
                || line.Contains(session.Directory, StringComparison.Ordinal),
                $"{line.Length}: {line}");
        }
    }

    [Fact]
    public void A_table_that_is_too_wide_goes_on_below_its_rows_or_becomes_blocks()
    {
        using var session = new CliSession { Width = 80 };
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin);

        Assert.Equal(
            $"KEY        FINGERPRINT\na.example  {CliSession.Pin}\n"
            + "    digest sha256, of unknown, state standby, trust person, since\n    2026-11-23T12:00:00Z, served yes\n",
            session.Succeed("pin", "list", "--format", "table"));
        session.Width = 70;
        Assert.StartsWith(
            $"a.example\n  fingerprint\n    {CliSession.Pin}\n  digest       sha256\n  of           unknown\n  state        standby\n",
            session.Succeed("pin", "list", "--format", "table"), StringComparison.Ordinal);
        session.Width = 200;
        Assert.StartsWith("KEY        FINGERPRINT", session.Succeed("pin", "list", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_goes_without_its_notes_before_it_becomes_anything_else()
    {
        using var session = new CliSession { Width = 80 };
        session.Succeed("domain", "add", "clinic-with-a-long-name.example", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "contract 4711, ask Anna");

        Assert.StartsWith("KEY                              LEVEL        PINS  SERVED  VERDICT\n", session.Succeed("domain", "list", "--format", "table"), StringComparison.Ordinal);
        session.Width = 120;
        Assert.Contains("contract 4711, ask Anna", session.Succeed("domain", "list", "--format", "table"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one two three", 80, "one two three")]
    [InlineData("  one two three four five", 24, "  one two three four|    five")]
    [InlineData("  policyctl domain set example.com --level secure", 24, "  policyctl domain set example.com --level secure")]
    [InlineData("see 0123456789012345678901234567 there", 24, "see|  0123456789012345678901234567|  there")]
    [InlineData("fingerprint match=0123456789|0123456789|0123456789", 32, "fingerprint match=0123456789||  0123456789|0123456789")]
    [InlineData("no terminal, so whatever length it has it stays as it is", 0, "no terminal, so whatever length it has it stays as it is")]
    public void A_line_is_broken_at_blanks_below_its_own_beginning(string line, int width, string lines) =>
        Assert.Equal(lines.Replace("||", "~#", StringComparison.Ordinal).Split(line.Contains('|', StringComparison.Ordinal) ? '#' : '|').Select(part => part.Replace('~', '|')), Wrapping.Lines(line, width).Select(part => part.StartsWith("0123", StringComparison.Ordinal) ? "  " + part : part));

    [Fact]
    public void Times_are_local_on_a_terminal_and_UTC_for_programs()
    {
        using var session = new CliSession { Terminal = true, Width = 200 };
        session.Variables["NO_COLOR"] = "1";
        session.Time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(5.5), null, null));
        session.Succeed("domain", "add", "a.example", "--level", "secure");

        Assert.Contains("2026-11-23T17:30:00+05:30", session.Succeed("audit"), StringComparison.Ordinal);
        Assert.Contains("2026-11-23T12:00:00Z", session.Succeed("audit", "--utc"), StringComparison.Ordinal);
        Assert.Contains("2026-11-23T12:00:00Z", session.Succeed("audit", "--format", "tsv"), StringComparison.Ordinal);
        Assert.Contains("2026-11-23T12:00:00Z", session.Succeed("audit", "--format", "json"), StringComparison.Ordinal);
        session.Terminal = false;
        Assert.Contains("2026-11-23T12:00:00Z", session.Succeed("audit", "--format", "table"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("since 2026-03-29T00:59:59Z", "since 2026-03-29T01:59:59+01:00")]
    [InlineData("x2026-03-29T00:59:59Zx", "x2026-03-29T00:59:59Zx")]
    [InlineData("2026-13-29T00:59:59Z", "2026-13-29T00:59:59Z")]
    [InlineData("revoked on 2026-03-29 00:59 UTC, because", "revoked on 2026-03-29 01:59 +01:00, because")]
    [InlineData("2026-03-29 00:59", "2026-03-29 00:59")]
    public void Only_a_time_is_turned(string text, string turned) =>
        Assert.Equal(turned, Times.InZone(text, TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), null, null)));

    [Fact]
    public void A_prompt_is_written_as_it_is()
    {
        var inner = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        using var writer = new WrappedWriter(inner, () => 30, text => text);
        writer.Write(new string('x', 40));
        writer.WriteLine();
        writer.WriteLine("one two three four five six seven");

        Assert.Equal(new string('x', 40) + "\none two three four five six\n  seven\n", inner.ToString());
    }

    /// <summary>Pasted, two lines would be two commands.</summary>
    [Theory]
    [InlineData("  settle it: policyctl pin approve example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("Next: postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy' && postfix reload && policyctl setup")]
    public void A_command_behind_its_label_is_not_broken(string line) => Assert.Equal([line], Wrapping.Lines(line, 60));
}
