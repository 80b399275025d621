using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>The deb, without installing it, and the manual pages that both packages carry.</summary>
public sealed class DebStories
{
    public static TheoryData<string> Pages { get; } = [.. Directory.GetFiles(Path.Combine(Repository.Root, "packaging", "man"))
        .Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Lintian_has_neither_errors_nor_warnings()
    {
        var result = await CommandLine.RunAsync(["lintian", "--fail-on", "error,warning", BuiltPackages.Deb]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task Nothing_is_overridden() =>
        Assert.DoesNotContain("lintian", (await CommandLine.RunAsync(["dpkg-deb", "--contents", BuiltPackages.Deb])).Require(), StringComparison.Ordinal);

    [Fact]
    public async Task The_same_commit_gave_the_same_bytes_elsewhere()
    {
        // tests/run packages has built the commit a second time, from a clone in another directory.
        var clone = Path.Combine(Repository.Root, "artifacts", "packages", "clone");
        foreach (var package in (string[])[BuiltPackages.Deb, BuiltPackages.Rpm])
        {
            var other = Path.Combine(clone, Path.GetFileName(package));
            var compared = await CommandLine.RunAsync(["cmp", package, other]);
            Assert.True(compared.ExitCode == 0, compared.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_manual_page_has_no_fault(string page)
    {
        var file = Path.Combine(Repository.Root, "packaging", "man", page);
        var lint = await CommandLine.RunAsync(["mandoc", "-Tlint", "-Wwarning", file]);
        Assert.Equal("", lint.Output);
        var groff = await CommandLine.RunAsync(["groff", "-mandoc", "-Tutf8", "-ww", "-z", file]);
        Assert.Equal("", groff.Error);
    }
}
