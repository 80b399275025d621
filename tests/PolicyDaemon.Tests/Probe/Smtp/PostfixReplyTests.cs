using System.Text;
using PolicyDaemon.Probe.Smtp;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Smtp;

/// <summary>Replies as Postfix reads them; what MailKit is handed in their place.</summary>
public sealed class PostfixReplyTests
{
    [Theory]
    [InlineData("250-mx\n250 STARTTLS\n", "250-mx\n250 STARTTLS\n")]
    [InlineData("250-mx\n250-starttls\n250 SIZE\n", "250-mx\n250-STARTTLS\n250 SIZE\n")]
    [InlineData("250-mx\n250 STARTTLS REQUIRED\n", "250-mx\n250 STARTTLS\n")]
    [InlineData("250-mx\n250 STARTTLS=1\n", "250-mx\n250 STARTTLS\n")]
    [InlineData("250-mx\n250  STARTTLS\n", "250-mx\n250 STARTTLS\n")]
    [InlineData("250-mx\n250 STARTTLSX\n", "250-mx\n250 STARTTLSX\n")]
    [InlineData("250 STARTTLS\n", "250 STARTTLS\n")] // the first line is the server's name
    [InlineData("250-mx\nwelcome\n250 STARTTLS\n", "250-mx\n250 STARTTLS\n")]
    public void STARTTLS_is_found_where_Postfix_finds_it(string reply, string handedOver)
    {
        var read = new PostfixReply("EHLO");

        Assert.Equal(handedOver.ReplaceLineEndings("\n"), Read(read, reply));
        Assert.Equal((true, 250, null), (read.IsComplete, read.Code, read.HiddenStartTls));
    }

    [Fact]
    public void STARTTLS_behind_2048_octets_is_hidden()
    {
        var read = new PostfixReply("EHLO");
        var features = string.Concat(Enumerable.Range(0, 50).Select(number => $"250-X{number}{new string('y', 45)}\n"));

        var handedOver = Read(read, $"250-mx\n{features}250 STARTTLS\n");

        Assert.DoesNotContain("STARTTLS", handedOver, StringComparison.Ordinal);
        Assert.EndsWith("250 .\n", handedOver, StringComparison.Ordinal);
        Assert.Contains("2048", read.HiddenStartTls, StringComparison.Ordinal);
    }

    [Fact]
    public void STARTTLS_in_the_line_that_crosses_2048_octets_is_found()
    {
        var read = new PostfixReply("EHLO");

        // 2047 octets are kept before it.
        var handedOver = Read(read, $"250-{new string('x', 2043)}\n250 STARTTLS\n");

        Assert.EndsWith("250 STARTTLS\n", handedOver, StringComparison.Ordinal);
        Assert.Null(read.HiddenStartTls);
    }

    [Theory]
    [InlineData("220\n", true)]
    [InlineData("220 ****************0*2\n", true)]
    [InlineData("220 mx.example\n", false)]
    [InlineData("220-\n220 \n", false)]
    public void To_the_greeting_of_a_PIX_firewall_Postfix_says_HELO_and_so_sees_no_STARTTLS(string greeting, bool isPix)
    {
        var before = new PostfixReply("");
        Read(before, greeting);
        var read = new PostfixReply("EHLO") { After = before };

        var handedOver = Read(read, "250-mx\n250 STARTTLS\n");

        Assert.Equal(!isPix, handedOver.Contains("STARTTLS", StringComparison.Ordinal));
        Assert.Equal(isPix, read.HiddenStartTls?.Contains("smtp_pix_workarounds", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData("220 go\n", "220 go\n", 220)]
    [InlineData("250 go\n", "220 \n", 250)]
    [InlineData("220-go\n220 on\n", "220-go\n220 \n", 220)]
    [InlineData("454 later\n", "454 later\n", 454)]
    public void Any_2xx_to_STARTTLS_begins_TLS(string reply, string handedOver, int code)
    {
        var read = new PostfixReply("STARTTLS");

        Assert.Equal(handedOver.Replace("220 go", "220 ", StringComparison.Ordinal), Read(read, reply));
        Assert.Equal(code, read.Code);
    }

    [Theory]
    [InlineData("hello\n")]
    [InlineData("22 mx\n")]
    [InlineData("220x mx\n")]
    [InlineData("\n")]
    public void A_line_without_a_code_is_skipped(string line)
    {
        var read = new PostfixReply("");

        Assert.Equal("", Read(read, line));
        Assert.Equal((false, true), (read.IsComplete, read.IsNonsense));
        Assert.Equal("220 mx\n", Read(read, "220 mx\n"));
        Assert.Equal((true, false), (read.IsComplete, read.IsNonsense));
    }

    private static string Read(PostfixReply reply, string lines)
    {
        var handedOver = new StringBuilder();
        foreach (var line in lines.TrimEnd('\n').Split('\n'))
            handedOver.Append(Encoding.ASCII.GetString(reply.Read(Encoding.ASCII.GetBytes(line + "\r\n")).Span));
        return handedOver.ToString().ReplaceLineEndings("\n");
    }
}
