using System.Text.Json;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Alerts;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

public sealed class TestAlertTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-test-alert").FullName;

    [Fact]
    public async Task Every_channel_that_is_on_is_given_the_alert_once()
    {
        var (one, other, off) = (new FakeChannel("alert_command"), new FakeChannel("alert_webhook") { Problem = "404" }, new FakeChannel("third") { IsOn = false });

        var sent = await TestAlert.SendAsync([one, other, off], TestAlert.Message(TimeProvider.System), CancellationToken.None);

        Assert.Equal([new SentAlert("alert_command", null), new SentAlert("alert_webhook", "404")], sent);
        Assert.Equal((1, 1, 0), (one.Tried, other.Tried, off.Tried));
        var told = Assert.Single(one.Told);
        Assert.Equal(("test", "test", "for-information"), (told.Event, told.Finding.Kind, told.Finding.Severity));
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("echo sorry; exit 3", 1)]
    public async Task What_became_of_it_is_written_as_JSON(string script, int code)
    {
        var file = Path.Combine(directory, "alert");
        File.WriteAllText(file, $"#!/bin/sh\nprintf '%s' \"$POLICYDAEMON_EVENT\" > {directory}/event\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var output = new StringWriter();
        using var error = new StringWriter();

        var result = await TestAlert.RunAsync(SettingsReader.TryParse($"[probe]\nalert_command = {file}\n")!, output, error, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal(code, (int)result);
        var sent = Assert.Single(JsonSerializer.Deserialize(output.ToString(), SentAlertJson.Default.IReadOnlyListSentAlert)!);
        Assert.Equal(("alert_command", code == 0), (sent.Channel, sent.Problem is null));
        Assert.Equal("test", File.ReadAllText(Path.Combine(directory, "event")));
        Assert.Equal(code == 0 ? "" : $"policyd: alert_command: {sent.Problem}\n", error.ToString());
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
