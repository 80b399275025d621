using System.Text;
using System.Text.Json;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

public sealed class AlertProcessTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-alert").FullName;

    internal static AlertMessage Message { get; } = new(
        "opened", new DateTimeOffset(2026, 11, 23, 10, 0, 5, TimeSpan.Zero), 0, "relay", "0.1.0",
        new FindingJson(
            "pin-mismatch", "partner.example", "every reachable address would be refused: mail waits", "policyctl explain partner.example",
            new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero))
        {
            Outcome = "pin-mismatch",
            ResultType = "validation-failure",
            Expected = ["aa", "bb"],
            Seen = [new PresentedKeyJson("mx.partner.example", "192.0.2.1", 25, null, "cc", "dd", new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero))],
            Affects = 3,
        });

    [Fact]
    public async Task The_command_gets_variables_and_JSON_and_nothing_of_ours()
    {
        var script = Script("env > $1/env; cat > $1/json; echo done");
        Environment.SetEnvironmentVariable("DOTNET_ONLY_OURS", "1");
        try
        {
            var result = await Run(script, directory);

            Assert.Equal(new AlertRunResult(0, null, "done"), result);
        }
        finally
        {
            Environment.SetEnvironmentVariable("DOTNET_ONLY_OURS", null);
        }

        var variables = await File.ReadAllLinesAsync(Path.Combine(directory, "env"), TestContext.Current.CancellationToken);
        Assert.Contains("POLICYDAEMON_EVENT=opened", variables);
        Assert.Contains("POLICYDAEMON_KIND=pin-mismatch", variables);
        Assert.Contains("POLICYDAEMON_SUBJECT=partner.example", variables);
        Assert.Contains("POLICYDAEMON_REMEDY=policyctl explain partner.example", variables);
        Assert.Contains("POLICYDAEMON_SINCE=2026-11-23T10:00:00Z", variables);
        Assert.Contains("POLICYDAEMON_AFFECTS=3", variables);
        Assert.Contains("POLICYDAEMON_RESULT_TYPE=validation-failure", variables);
        Assert.Contains("POLICYDAEMON_EXPECTED=aa bb", variables);
        Assert.Contains("POLICYDAEMON_SEEN=cc", variables);
        Assert.DoesNotContain(variables, variable => variable.StartsWith("DOTNET_", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "json"), TestContext.Current.CancellationToken));
        var finding = json.RootElement.GetProperty("finding");
        Assert.Equal("partner.example", finding.GetProperty("subject").GetString());
        Assert.Equal("mx.partner.example", finding.GetProperty("seen")[0].GetProperty("mx_host").GetString());
    }

    [Fact]
    public async Task What_it_says_is_bounded_and_its_status_is_told()
    {
        var result = await Run(Script("head -c 1000000 /dev/zero | tr '\\0' x; echo oops >&2; exit 7"));

        Assert.Equal((7, null), (result.ExitCode, result.Problem));
        Assert.InRange(result.Output.Length, 4000, 4096);
    }

    [Fact]
    public async Task It_is_ended_after_its_time_with_what_it_started()
    {
        var result = await AlertProcess.RunAsync(
            [Script("sleep 600 & echo $! > $1/pid; wait"), directory], Message, TimeSpan.FromSeconds(2), TimeProvider.System,
            TestContext.Current.CancellationToken);

        Assert.Null(result.ExitCode);
        Assert.Contains("was ended after 2 s", result.Problem, StringComparison.Ordinal);
        var child = (await File.ReadAllTextAsync(Path.Combine(directory, "pid"), TestContext.Current.CancellationToken)).Trim();
        await Until.TrueAsync(() => !File.Exists($"/proc/{child}/stat") || File.ReadAllText($"/proc/{child}/stat").Contains(") Z ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_it_leaves_running_is_not_waited_for()
    {
        var result = await Run(Script("sleep 600 & echo $! > $1/pid; exit 0"), directory);

        Assert.Equal(0, result.ExitCode);
        var child = int.Parse(
            await File.ReadAllTextAsync(Path.Combine(directory, "pid"), TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        System.Diagnostics.Process.GetProcessById(child).Kill();
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_said()
    {
        var result = await Run("/nonexistent/alert");

        Assert.Null(result.ExitCode);
        Assert.StartsWith("/nonexistent/alert cannot be run: ", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_unit_runs_the_configured_command_whatever_the_words_say()
    {
        var settings = SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[probe]\nalert_command = {Script("echo got $POLICYDAEMON_SUBJECT; exit 3")}"));
        using var input = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(Message, AlertJson.Default.AlertMessage));
        Assert.Matches("\"since\":\"[0-9-]+T[0-9:]+Z\"", System.Text.Encoding.UTF8.GetString(input.ToArray()));
        using var output = new MemoryStream();

        var code = await AlertRun.RunAsync(settings, input, output, TextWriter.Null, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal(DaemonExitCode.Failed, code);
        Assert.Equal(
            new AlertRunResult(3, null, "got partner.example"), JsonSerializer.Deserialize(output.ToArray(), AlertJson.Default.AlertRunResult));
    }

    [Fact]
    public async Task The_unit_prints_nothing_that_could_steer_a_terminal()
    {
        var settings = SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[probe]\nalert_command = {Script("printf 'a\\033[2J\\nb'; exit 3")}"));
        using var input = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(Message, AlertJson.Default.AlertMessage));
        await using var error = new StringWriter { NewLine = "\n" };

        await AlertRun.RunAsync(settings, input, Stream.Null, error, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("policyd: alert_command: ended with status 3 a\\u{001B}[2J | b\n", error.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    public async Task What_is_no_alert_runs_nothing(string text)
    {
        var settings = SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[probe]\nalert_command = {Script("touch " + directory + "/ran")}"));
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(text));
        using var output = new MemoryStream();

        await AlertRun.RunAsync(settings, input, output, TextWriter.Null, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.StartsWith("standard input holds no alert", JsonSerializer.Deserialize(output.ToArray(), AlertJson.Default.AlertRunResult)?.Problem, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(directory, "ran")));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static Task<AlertRunResult> Run(params string[] command) => AlertProcess.RunAsync(
        command, Message, TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);

    private string Script(string text)
    {
        var file = Path.Combine(directory, Path.GetRandomFileName());
        File.WriteAllText(file, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }
}
