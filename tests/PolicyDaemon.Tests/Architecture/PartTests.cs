using System.Reflection;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>tests/run without an argument runs every test of this assembly, and each once.</summary>
public sealed class PartTests
{
    [Fact]
    public void What_the_everyday_part_leaves_out_is_run_in_the_part_that_its_trait_names()
    {
        var script = File.ReadAllText(Repository.Path("tests", "run"));
        Assert.Contains(
            $"\nunit() {{\n    step \"build the unit tests\" build PolicyDaemon.Tests\n    unit_tests -trait- {Part.Name}={Part.EndToEnd} -trait- {Part.Name}={Part.Store}\n}}\n",
            script, StringComparison.Ordinal);
        Assert.Equal(3, script.Split("\n    unit_tests -trait").Length - 1);
        Assert.Contains($"\n    unit_tests -trait {Part.Name}={Part.EndToEnd}\n", script, StringComparison.Ordinal);
        Assert.Contains($"\n    unit_tests -trait {Part.Name}={Part.Store}\n", script, StringComparison.Ordinal);
        Assert.Contains("\n        unit; store; e2e; browser; packages\n", script, StringComparison.Ordinal);

        var traits = typeof(PartTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Cast<MemberInfo>().Prepend(type)).SelectMany(member => member.GetCustomAttributes<TraitAttribute>())
            .Where(trait => trait.Name == Part.Name).Select(trait => trait.Value).ToHashSet();
        Assert.Equal(new HashSet<string> { Part.EndToEnd, Part.Store }, traits);
    }
}
