using System.Text.Json;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary><c>policyd --run-alert</c>: one alert from standard input to the configured command, its result to standard output.</summary>
/// <remarks>What policyd-alert@.service runs, outside the daemon's sandbox; see <see cref="CommandChannel"/>.</remarks>
internal static class AlertRun
{
    private const int MaxInput = 256 * 1024;
    private static readonly TimeSpan InputTime = TimeSpan.FromSeconds(10);

    internal static async Task<DaemonExitCode> RunAsync(
        Settings settings, Stream input, Stream output, TextWriter error, TimeProvider time, CancellationToken cancellation)
    {
        var result = await ResultAsync(settings.Probe.Alerts, input, time, cancellation);
        if (result is not { ExitCode: 0 })
            await error.WriteLineAsync("policyd: alert_command: " + ShownText.Escape(
                $"{result.Problem ?? $"ended with status {result.ExitCode}"} {result.Output}".TrimEnd().ReplaceLineEndings(" | ")));
        try
        {
            await JsonSerializer.SerializeAsync(output, result, AlertJson.Default.AlertRunResult, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The command has run; whoever asked for it does not want to know, or cannot.
            await error.WriteLineAsync($"policyd: the result cannot be reported: {exception.Message}");
        }

        return result is { ExitCode: 0 } ? DaemonExitCode.Done : DaemonExitCode.Failed;
    }

    private static async Task<AlertRunResult> ResultAsync(
        AlertSettings alerts, Stream input, TimeProvider time, CancellationToken cancellation)
    {
        if (alerts.Command.IsEmpty)
            return new AlertRunResult(null, "no alert_command is configured", "");
        using var deadline = new CancellationTokenSource(InputTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var octets = new byte[MaxInput];
        try
        {
            var length = await input.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, either.Token);
            if (JsonSerializer.Deserialize(octets.AsSpan(0, length), AlertJson.Default.AlertMessage) is not { Event: not null, Finding.Kind: not null } message)
                return new AlertRunResult(null, "standard input holds no alert", "");
            return await AlertProcess.RunAsync(alerts.Command, AlertQueue.WithMail(message), alerts.Timeout, time, cancellation);
        }
        catch (JsonException fault)
        {
            return new AlertRunResult(null, $"standard input holds no alert: {fault.Message}", "");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new AlertRunResult(null, "no alert came on standard input", "");
        }
    }
}
