using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using PolicyDaemon.Core.Configuration;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>What policydaemon-fleet(7) shows can be copied from a terminal of 80 columns, and is understood.</summary>
public sealed partial class FleetManualTests
{
    // man(1) leaves 78 columns of 80; a section is indented by 5, a display by 6.
    private const int MostCharacters = 67;

    private static readonly IReadOnlyList<string> Displays = [.. Display().Matches(ManualPage.Read("policydaemon-fleet.7").Text)
        .Select(match => (match.Groups["block"].Success ? match.Groups["block"] : match.Groups["line"]).Value.Replace("\\e", "\\", StringComparison.Ordinal))];

    [Fact]
    public void No_line_of_an_example_is_broken_by_a_terminal()
    {
        Assert.True(Displays.Count > 15);
        Assert.DoesNotContain(Displays.SelectMany(display => display.Split('\n')), line => line.Length > MostCharacters);
        // In running text a line may be broken at any blank of it.
        Assert.DoesNotContain(Quoted().Matches(ManualPage.Read("policydaemon-fleet.7").Text).Select(match => match.Value), text => text.Split(' ').Length > 6);
    }

    /// <summary>In single quotes a backslash at the end of a line is kept by the shell, and in double quotes the indentation behind it.</summary>
    [Fact]
    public void No_line_is_continued_within_quotes() =>
        Assert.All(Displays, display =>
        {
            var quote = '\0';
            for (var i = 0; i < display.Length; i++)
            {
                if (quote == '\0' && display[i] is '\'' or '"')
                    quote = display[i];
                else if (display[i] == quote)
                    quote = '\0';
                Assert.False(quote != '\0' && display[i] == '\n', display);
            }
        });

    [Fact]
    public void Every_line_of_the_configuration_is_understood()
    {
        var examples = Displays.Where(display => display.Contains("postgresql = ", StringComparison.Ordinal)).ToList();
        Assert.True(examples.Count >= 5);
        Assert.All(examples, example =>
        {
            var text = (example.Contains("[store]", StringComparison.Ordinal) ? "" : "[store]\n") + example;
            var settings = SettingsReader.Parse("example", Encoding.UTF8.GetBytes(text));
            Assert.True(PostgreSqlWords.TryParse(settings.Server![PostgreSqlWords.Prefix.Length..], out var words, out var reason), reason);
            Assert.Equal("policydaemon", words["dbname"]);
        });
    }

    /// <summary>The commands that move the store, as a shell runs them.</summary>
    [Fact]
    public void The_commands_that_name_a_server_name_one()
    {
        var script = Displays.Single(display => display.Contains("there='", StringComparison.Ordinal))
            + "\n" + Displays.Single(display => display.Contains("domain add", StringComparison.Ordinal));
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["HOME"] = "/home/hostmaster";
        using var shell = Process.Start(start)!;
        shell.StandardInput.Write("policyctl() { for word; do printf '%s\\n' \"$word\"; done; }\n" + script + "\n");
        shell.StandardInput.Close();

        var named = shell.StandardOutput.ReadToEnd().Split('\n').Where(word => PostgreSqlWords.IsNamedBy(word)).ToList();

        Assert.Equal(3, named.Count);
        Assert.All(named, name =>
        {
            Assert.True(PostgreSqlWords.TryParse(name[PostgreSqlWords.Prefix.Length..], out var words, out var reason), reason);
            Assert.Equal(["db1", "policydaemon", "hostmaster", "/etc/policydaemon/db.pem", "/home/hostmaster/.pgpass"], words.Values);
        });
    }

    [GeneratedRegex(@"^\.(Bd [^\n]*\n(?<block>.*?)\n\.Ed$|Dl (?<line>[^\n]*)$)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Display();

    [GeneratedRegex(@"^\.Ql .*$", RegexOptions.Multiline)]
    private static partial Regex Quoted();
}
