using System.Diagnostics;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>The changelog can be read by what makes those of the packages; a line that is too long would stop their building.</summary>
public sealed class ChangelogTests
{
    [Theory]
    [InlineData("deb")]
    [InlineData("rpm")]
    public async Task The_packages_changelogs_are_made_of_it(string form)
    {
        using var process = Process.Start(new ProcessStartInfo(Repository.Path("packaging", "changelog"), [form])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (process.ExitCode, await error));
        Assert.Contains("policydaemon", output, StringComparison.OrdinalIgnoreCase);
    }
}
