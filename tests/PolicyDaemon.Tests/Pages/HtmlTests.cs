using PolicyDaemon.Pages.Markup;
using Xunit;

namespace PolicyDaemon.Tests.Pages;

public sealed class HtmlTests
{
    [Fact]
    public void Text_in_a_hole_is_escaped_for_elements_and_quoted_attributes()
    {
        const string Hostile = "\"'><script>alert(1)</script>&amp;";

        var html = Html.Of($"<p title=\"{Hostile}\">{Hostile}</p>").ToString();

        Assert.Equal(
            "<p title=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;\">&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</p>", html);
    }

    [Fact]
    public void Html_in_a_hole_stays_what_it_is()
    {
        var cells = new[] { "a<", "b" }.Select(text => Html.Of($"<td>{text}</td>"));

        Assert.Equal("<tr><td>a&lt;</td><td>b</td></tr>", Html.Of($"<tr>{cells}</tr>").ToString());
    }

    [Theory]
    [InlineData("\u001b[31m", "\u241b[31m")]
    [InlineData("a\0b\r\n\tc\u007f", "a\u2400b\u240d\u240a\u2409c\u2421")]
    [InlineData("exe\u202ecod", "exe\\u{202E}cod")]
    [InlineData("\u2066\u200b\u0085", "\\u{2066}\\u{200B}\\u{0085}")]
    [InlineData("M\u00fcnchen \u05d0 \U0001f4e7", "M\u00fcnchen \u05d0 \U0001f4e7")]
    [InlineData("Z\u0301\u0302\u0303\u0304\u0305\u0306a\u0301", "Z\u0301\u0302\u0303\u0304\\u{0305}\\u{0306}a\u0301")]
    [InlineData("a\u3164b\u115f\u2800 \u26a0\ufe0f", "a\\u{3164}b\\u{115F}\\u{2800} \u26a0\ufe0f")]
    public void Characters_that_move_turn_or_hide_text_are_shown_as_pictures(string text, string shown) =>
        Assert.Equal(shown, Html.Of($"{text}").ToString());

    [Fact]
    public void Long_text_is_cut_and_whole_text_is_not()
    {
        var name = new string('x', 10_000);

        Assert.Equal(new string('x', 600) + "…", Html.Of($"{name}").ToString());
        Assert.Equal(name, Html.Whole(name).ToString());
    }

    [Fact]
    public void Numbers_are_the_same_in_every_culture() => Assert.Equal("1.5 3", Html.Of($"{1.5} {3}").ToString());

    [Fact]
    public void Nothing_is_nothing()
    {
        string? nothing = null;

        Assert.True(Html.Of($"{nothing}{Html.Empty}").IsEmpty);
        Assert.Equal("a, b", Html.Join([Html.Of($"a"), Html.Of($"b")], ", ").ToString());
    }
}
