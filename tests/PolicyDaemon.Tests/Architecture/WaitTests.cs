using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>These tests wait in one way, which is bounded and says for what.</summary>
public sealed class WaitTests
{
    // Besides: time that is given to something that must not happen, and a clock by hand that a server of a test lets go on.
    private static readonly string[] Known = ["Probe/Scheduling/ProbeEngineTests.cs", "Probe/Smtp/LeaveOverTlsTests.cs", "Support/Until.cs"];

    [Fact]
    public void Nothing_waits_for_a_condition_or_a_clock_by_itself()
    {
        var tests = Repository.Path("tests", "PolicyDaemon.Tests");

        var waiting = Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(tests, file))
            .Where(file => file.Split('/')[0] is not ("obj" or "bin") && file != "Architecture/WaitTests.cs")
            .Where(file => File.ReadAllText(Path.Combine(tests, file)).Replace("Task.Delay(Timeout.Infinite", "", StringComparison.Ordinal) is var text
                && (text.Contains("Task.Delay(", StringComparison.Ordinal) || text.Contains("SpinUntil(", StringComparison.Ordinal)
                    || text.Contains("CancelAfter(", StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal);

        Assert.Equal(Known, waiting);
    }
}
