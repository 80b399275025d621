using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Runs the alert command once: the alert in its environment and as JSON on its standard input, a time limit, bounded output.</summary>
internal static class AlertProcess
{
    private const int MaxOutput = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="command">The program, an absolute path, and its arguments.</param>
    /// <param name="message">The alert.</param>
    /// <param name="limit">After it the program and what it started are killed.</param>
    /// <param name="cancellation">Kills it at once; the only thing that throws.</param>
    public static async Task<AlertRunResult> RunAsync(
        IReadOnlyList<string> command, AlertMessage message, TimeSpan limit, TimeProvider time, CancellationToken cancellation)
    {
        using var process = new Process { StartInfo = StartInfo(command, message) };
        try
        {
            process.Start();
        }
        catch (Exception fault) when (fault is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return new AlertRunResult(null, $"{command[0]} cannot be run: {fault.Message}", "");
        }

        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        var output = new StringBuilder();
        var streams = Task.WhenAll(
            WriteAsync(process, message, either.Token),
            ReadAsync(process.StandardOutput, output, either.Token),
            ReadAsync(process.StandardError, output, either.Token));
        try
        {
            await process.WaitForExitAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await streams.WaitAsync(Patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
            return new AlertRunResult(null, $"{command[0]} was ended after {limit.TotalSeconds:F0} s", Text(output));
        }

        // What it left running in the background may hold its output open; that is not waited for.
        await streams.WaitAsync(Patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new AlertRunResult(process.ExitCode, null, Text(output));
    }

    private static ProcessStartInfo StartInfo(IReadOnlyList<string> command, AlertMessage message)
    {
        var start = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in AlertEnvironment.Of(message))
            start.Environment[name] = value;
        return start;
    }

    private static async Task WriteAsync(Process process, AlertMessage message, CancellationToken cancellation)
    {
        try
        {
            await using var input = process.StandardInput.BaseStream;
            await JsonSerializer.SerializeAsync(input, message, AlertJson.Default.AlertMessage, cancellation);
            await input.WriteAsync("\n"u8.ToArray(), cancellation);
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            // It need not read what it is not interested in.
        }
    }

    private static async Task ReadAsync(StreamReader stream, StringBuilder output, CancellationToken cancellation)
    {
        var buffer = new char[1024];
        try
        {
            while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
            {
                lock (output)
                    output.Append(buffer, 0, Math.Min(count, MaxOutput - output.Length));
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            // What came until now is what there is.
        }
    }

    private static string Text(StringBuilder output)
    {
        lock (output)
            return output.ToString().Trim();
    }
}
