using PolicyDaemon.Cli.Output;
using Xunit;

namespace PolicyDaemon.Tests.Cli.Output;

public class BesideLayoutTests
{
    [Fact]
    public void Each_side_is_broken_within_its_half()
    {
        var lines = BesideLayout.Lines([new("issuer", "one two three four five", "six seven"), new("names", "a", "")], 54)!;

        Assert.Equal(
            ["  issuer  one two three four    |six seven", "          five                  |", "  names   a                     |"],
            lines.Select(line => $"{line.Name}{line.Left.Text}|{line.Right.Text}"));
    }

    [Fact]
    public void What_is_short_on_the_left_leaves_its_room_to_the_right() =>
        Assert.Equal("  a  b  ccc ccc ccc ccc ccc ccc", Flat(BesideLayout.Lines([new("a", "b", "ccc ccc ccc ccc ccc ccc")], 40)!));

    [Fact]
    public void Without_a_screen_nothing_is_broken()
    {
        var text = new string('x', 500) + " y";
        Assert.Equal($"  a  b  {text}", Flat(BesideLayout.Lines([new("a", "b", text)], 0)!));
    }

    [Fact]
    public void Where_a_word_does_not_fit_nothing_stands_beside_anything() =>
        Assert.Null(BesideLayout.Lines([new("a", new string('x', 40), new string('y', 40))], 80));

    [Fact]
    public void Nor_on_a_screen_where_half_of_it_holds_no_words() =>
        Assert.Null(BesideLayout.Lines([new("issuer", "one two three four five", "six seven")], 40));

    private static string Flat(IReadOnlyList<(string Name, Cell Left, Cell Right)> lines) =>
        string.Join('\n', lines.Select(line => line.Name + line.Left.Text + line.Right.Text));
}
