using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary><c>policyd --test-alert</c>: one alert through every channel that is configured, tried once, and what became of it to standard output.</summary>
/// <remarks>The channels are those of the running daemon, and the alert is marked as a test by its event and its kind.</remarks>
internal static class TestAlert
{
    /// <summary>The event and the kind of a test.</summary>
    internal const string Test = "test";

    internal static async Task<DaemonExitCode> RunAsync(Settings settings, TextWriter output, TextWriter error, TimeProvider time, CancellationToken cancellation)
    {
        var configuration = new RunningConfiguration(settings);
        IReadOnlyList<SentAlert> sent = await SendAsync(
            [new CommandChannel(configuration, NullLogger.Instance, time), new WebhookChannel(configuration, time)], Message(time), cancellation);
        foreach (var failed in sent.Where(one => one.Problem is not null))
            await error.WriteLineAsync($"policyd: {failed.Channel}: {failed.Problem}");
        await output.WriteLineAsync(JsonSerializer.Serialize(sent, SentAlertJson.Default.IReadOnlyListSentAlert));
        return sent.All(one => one.Problem is null) ? DaemonExitCode.Done : DaemonExitCode.Failed;
    }

    /// <summary>Gives every channel that is on the message, once and beside each other.</summary>
    internal static async Task<SentAlert[]> SendAsync(IEnumerable<IAlertChannel> channels, AlertMessage message, CancellationToken cancellation) =>
        await Task.WhenAll(channels.Where(channel => channel.IsOn).Select(async channel => new SentAlert(channel.Name, (await channel.SendAsync(message, cancellation)).Problem)));

    internal static AlertMessage Message(TimeProvider time)
    {
        var now = time.GetUtcNow();
        return new AlertMessage(Test, now, 0, Environment.MachineName, DaemonVersion.Text, new FindingJson(
            Test, Environment.MachineName, "a test of the alert channels; nothing is wrong", "policyctl doctor", now)
        {
            Severity = FindingSeverity.ForInformation.Name(),
            Affects = 0,
        });
    }
}
