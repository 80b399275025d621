using System.Text.RegularExpressions;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>The code map and the README speak of what is there.</summary>
public sealed partial class CodeMapTests
{
    [Fact]
    public void Every_path_of_the_code_map_exists()
    {
        var map = File.ReadAllText(Repository.Path("src", "README.md"));
        var missing = Paths().Matches(map).Select(match => match.Groups[1].Value).Distinct()
            .Where(path => !Exists(path)).ToList();

        Assert.Empty(missing);
        Assert.True(Paths().Count(map) > 30, "the pattern finds the paths");
    }

    [Fact]
    public void Every_link_of_the_readme_exists()
    {
        var readme = File.ReadAllText(Repository.Path("README.md"));

        Assert.All(Links().Matches(readme).Select(match => match.Groups[1].Value), link => Assert.True(Exists(link), link));
    }

    private static bool Exists(string path)
    {
        var first = path.Split('/')[0];
        var full = first is "tests" or "packaging" or "src" or "postfix-snippets"
            ? Repository.Path(path)
            : Repository.Path("src", $"PolicyDaemon.{path}");
        return File.Exists(full) || Directory.Exists(full);
    }

    [GeneratedRegex("`((?:Core|Store|Lookup|Probe|Administration|Daemon|Cli|tests|packaging)(?:/[A-Za-z0-9_.-]+)+)`")]
    private static partial Regex Paths();

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Links();
}
