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

    /// <summary>Whoever adds a folder says what one goes to it for; a file of it that the map names will do.</summary>
    [Fact]
    public void Every_folder_with_code_is_named_in_the_code_map()
    {
        var sources = Repository.Path("src");
        var named = Paths().Matches(File.ReadAllText(Path.Combine(sources, "README.md"))).Select(match => match.Groups[1].Value)
            .SelectMany(path => new[] { path, Path.GetDirectoryName(path)! }).ToHashSet(StringComparer.Ordinal);
        var folders = Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(sources, Path.GetDirectoryName(file)!)["PolicyDaemon.".Length..])
            .Where(folder => folder.Split('/') is not [_, "obj" or "bin", ..]).Distinct().ToList();

        Assert.Empty(folders.Where(folder => !named.Contains(folder)).Order(StringComparer.Ordinal));
        Assert.True(folders.Count > 50, "the folders are found");
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

    [GeneratedRegex("`((?:Core|Store|Lookup|Probe|Administration|Daemon|Cli|Pages|Web|tests|packaging)(?:/[A-Za-z0-9_.-]+)+)`")]
    private static partial Regex Paths();

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Links();
}
