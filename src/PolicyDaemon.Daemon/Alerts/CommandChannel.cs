using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary><c>alert_command</c>: run by systemd outside the sandbox where <c>alert_socket</c> is there, else by the daemon itself.</summary>
/// <remarks>
/// <code>
/// connect        to alert_socket (policyd-alert.socket, Accept=yes): one instance of policyd-alert@.service per alert
/// write, shut    the alert as JSON
/// read to end    AlertRunResult as JSON
/// </code>
/// The instance reads the command from the configuration itself: whoever writes to the socket chooses the words, not the program.
/// </remarks>
internal sealed class CommandChannel(RunningConfiguration configuration, ILogger logger, TimeProvider time) : IAlertChannel
{
    private const int MaxReply = 64 * 1024;

    // The instance keeps the command's limit; this is for its own start and end.
    private static readonly TimeSpan Overhead = TimeSpan.FromSeconds(10);

    private string? socketProblem;

    public string Name => ProbeKeys.AlertCommand.Name;

    public bool IsOn => !Alerts.Command.IsEmpty;

    // A script that fails three times over these words will go on to; the next alert must not wait for it.
    public int Attempts => 3;

    private AlertSettings Alerts => configuration.Settings.Probe.Alerts;

    public async Task<Delivery> SendAsync(AlertMessage message, CancellationToken cancellation)
    {
        var alerts = Alerts;
        if (alerts.Command.IsEmpty)
            return Delivery.Done;
        var result = await OutsideAsync(alerts, message, cancellation)
            ?? await AlertProcess.RunAsync(alerts.Command, message, alerts.Timeout, time, cancellation);
        return result switch
        {
            { ExitCode: 0 } => Delivery.Done,
            { ExitCode: { } code } => Delivery.Retry($"{alerts.Command[0]} ended with status {code}{Said(result)}"),
            _ => Delivery.Retry($"{result.Problem}{Said(result)}"),
        };
    }

    private static string Said(AlertRunResult result)
    {
        var line = result.Output.ReplaceLineEndings(" | ");
        return line.Length == 0 ? "" : $": {(line.Length > 300 ? line[..300] : line)}";
    }

    /// <returns>Null where nobody listens there: then the command is run here.</returns>
    private async Task<AlertRunResult?> OutsideAsync(AlertSettings alerts, AlertMessage message, CancellationToken cancellation)
    {
        if (alerts.Socket.Length == 0)
            return null;
        using var deadline = new CancellationTokenSource(alerts.Timeout + Overhead, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(alerts.Socket), either.Token);
            socketProblem = null;
        }
        catch (SocketException fault)
        {
            if (socketProblem != fault.Message)
                logger.AlertSocketNotThere(alerts.Socket, fault.Message);
            socketProblem = fault.Message;
            return null;
        }

        try
        {
            return await ExchangeAsync(socket, message, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new AlertRunResult(null, $"nothing came back from {alerts.Socket} in time; see: journalctl -u 'policyd-alert@*'", "");
        }
        catch (Exception fault) when (fault is SocketException or IOException or JsonException)
        {
            return new AlertRunResult(null, $"{alerts.Socket}: {fault.Message}; see: journalctl -u 'policyd-alert@*'", "");
        }
    }

    private static async Task<AlertRunResult> ExchangeAsync(Socket socket, AlertMessage message, CancellationToken cancellation)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(message, AlertJson.Default.AlertMessage), cancellation);
        socket.Shutdown(SocketShutdown.Send);
        var reply = new byte[MaxReply];
        var length = await stream.ReadAtLeastAsync(reply, reply.Length, throwOnEndOfStream: false, cancellation);
        return JsonSerializer.Deserialize(reply.AsSpan(0, length), AlertJson.Default.AlertRunResult)
            ?? throw new JsonException("an empty reply");
    }
}
