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

    [Fact]
    public async Task While_watching_Ctrl_Z_is_a_key_and_leaves_the_terminal_as_it_was()
    {
        Assert.SkipUnless(File.Exists(Script), "there is no script(1) here");
        var directory = Directory.CreateTempSubdirectory("policyctl-terminal");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        var config = Path.Combine(directory.FullName, "policydaemon.conf");
        await File.WriteAllTextAsync(config, $"[store]\ndatabase = {directory.FullName}/policy.db\n", deadline.Token);
        var start = new ProcessStartInfo(Script, ["-qec", $"./policyctl --config {config} status --watch; stty -a", "/dev/null"])
        {
            WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardInput = true,
        };
        using var script = Process.Start(start)!;
        try
        {
            var seen = new System.Text.StringBuilder();
            var buffer = new char[4096];
            var isPressed = false;
            for (int read; (read = await script.StandardOutput.ReadAsync(buffer, deadline.Token)) > 0;)
            {
                seen.Append(buffer, 0, read);
                if (isPressed || !seen.ToString().Contains("\u001b[J", StringComparison.Ordinal))
                    continue;
                isPressed = true;
                await script.StandardInput.WriteAsync("\u001a");
                await script.StandardInput.FlushAsync(deadline.Token);
            }

            var afterwards = seen.ToString().Split("\u001b[?25h\u001b[?1049l")[^1];
            Assert.Matches(@"\sisig\b", afterwards);
            Assert.Matches(@"\sicanon\b", afterwards);
        }
        finally
        {
            if (!script.HasExited)
                script.Kill(entireProcessTree: true);
            directory.Delete(recursive: true);
        }
    }
}
