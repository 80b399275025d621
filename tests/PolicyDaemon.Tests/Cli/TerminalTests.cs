using System.Diagnostics;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>The programs at a terminal of their own, which script(1) makes.</summary>
public sealed class TerminalTests
{
    private const string Script = "/usr/bin/script";

    [Theory]
    [InlineData("./policyctl version")]
    [InlineData("./policyctl version | cat")]
    [InlineData("./policyctl version 2> /dev/null | cat")]
    [InlineData("./policyctl domain frobnicate 2> /dev/null; ./policyctl version")]
    [InlineData("./policyd --version")]
    [InlineData("./policyd --version | cat")]
    public void A_terminal_is_sent_words_and_no_settings(string command)
    {
        Assert.SkipUnless(File.Exists(Script), "there is no script(1) here");
        var start = new ProcessStartInfo(Script, ["-qec", command, "/dev/null"])
        {
            WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardInput = true,
        };
        start.Environment["TERM"] = "xterm";
        using var script = Process.Start(start)!;
        var seen = script.StandardOutput.ReadToEnd();
        script.WaitForExit();

        Assert.Contains("0.", seen, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', seen);
    }
}
