using System.CommandLine;
using PolicyDaemon.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>The README's section "Every command once" names every command, and none that there is not.</summary>
public sealed class ReadmeCommandsTests
{
    private static readonly string[] Lines = Section();
    private static readonly List<string> Verbs = [.. PolicyCtl.Model().Subcommands.SelectMany(command => Paths(command, "policyctl "))];

    [Fact]
    public void Every_verb_has_a_line() =>
        Assert.All(Verbs, verb => Assert.True(Array.Exists(Lines, line => IsOf(line, verb)), $"{verb} has no line in \"Every command once\""));

    [Fact]
    public void Every_line_is_of_a_verb_and_of_options_that_there_are()
    {
        Assert.All(Lines, line => Assert.True(Verbs.Exists(verb => IsOf(line, verb)), line));
        Assert.All(Lines, line => Assert.All(
            line.Split(' ').Select(word => word.Trim('[', ']', ';')).Where(word => word.StartsWith("--", StringComparison.Ordinal) && word != "--help"),
            option => Assert.Contains(option, Command(line).Options.SelectMany(known => known.Aliases.Append(known.Name)))));
    }

    [Fact]
    public void No_fingerprint_is_cut_short_as_no_command_takes_it() => Assert.All(Lines, line => Assert.DoesNotContain("...", line, StringComparison.Ordinal));

    private static bool IsOf(string line, string verb) => line == verb || line.StartsWith(verb + " ", StringComparison.Ordinal);

    private static Command Command(string line)
    {
        Command at = PolicyCtl.Model();
        foreach (var word in line.Split(' ').Skip(1))
        {
            if (at.Subcommands.FirstOrDefault(command => command.Name == word) is not { } next)
                break;
            at = next;
        }

        return at;
    }

    private static IEnumerable<string> Paths(Command command, string before) => command.Subcommands.Count == 0
        ? [before + command.Name]
        : command.Subcommands.SelectMany(verb => Paths(verb, $"{before}{command.Name} "));

    private static string[] Section() =>
    [
        .. File.ReadLines(Repository.Path("README.md"))
            .SkipWhile(line => line != "## Every command once").Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Trim()),
    ];
}
