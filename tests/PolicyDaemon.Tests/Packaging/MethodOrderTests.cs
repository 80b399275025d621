using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>The lists by which methods that are run through lie together (packaging/method-order/record). The compiler passes over what it cannot use, without a word.</summary>
public sealed class MethodOrderTests
{
    [Theory]
    [InlineData("Daemon")]
    [InlineData("Web")]
    public void A_program_is_compiled_with_its_list_of_methods(string project)
    {
        var folder = Repository.Path("src", $"PolicyDaemon.{project}");

        var names = File.ReadAllLines(Path.Combine(folder, "method-order.txt"));

        Assert.Contains("<IlcOrderFile>$(MSBuildProjectDirectory)/method-order.txt</IlcOrderFile>", File.ReadAllText(Path.Combine(folder, $"PolicyDaemon.{project}.csproj")), StringComparison.Ordinal);
        Assert.True(names.Length > 3_000, "methods were recorded");
        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());
        Assert.DoesNotContain(names, name => name.Trim().Length == 0);
        // The way of a lookup, and of a page: had they other names, the list would be worth little.
        Assert.Contains(project == "Daemon" ? "PolicyDaemon_Lookup_PolicyDaemon_Lookup_Answering_LookupService__Guarded" : "PolicyDaemon_Pages_PolicyDaemon_Pages_Layout_PageLayout__Render", names);
    }
}
