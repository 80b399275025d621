using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A program that runs beside the test, with all it says.</summary>
public sealed class RunningProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _command;
    private readonly StringBuilder _said = new();
    private readonly bool _entered;

    /// <param name="command">Program and arguments.</param>
    /// <param name="entered">Whether nsenter stands in front: it forks into the other process namespace and waits there,
    /// so that the program proper is its only child.</param>
    internal RunningProcess(IReadOnlyList<string> command, bool entered)
    {
        _command = string.Join(' ', command);
        _entered = entered;
        _process = new Process { StartInfo = CommandLine.StartInfo(command) };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        if (!_process.Start()) throw new InvalidOperationException($"cannot start {_command}");
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Everything written to standard output and standard error so far.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>The program's process id as seen from outside the laboratory, or null once (or while) there is none.</summary>
    public int? ProcessId
    {
        get
        {
            if (!_entered) return _process.HasExited ? null : _process.Id;
            try
            {
                var children = File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children");
                return children.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var child, ..]
                    ? int.Parse(child, CultureInfo.InvariantCulture)
                    : null;
            }
            catch (Exception e) when (e is IOException or DirectoryNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>Sends a signal (name without SIG) to the program proper.</summary>
    public async Task SignalAsync(string signal)
    {
        if (ProcessId is { } id)
            await CommandLine.RunAsync(["/bin/kill", "-s", signal, id.ToString(CultureInfo.InvariantCulture)]);
    }

    public async Task<int> ExitAsync()
    {
        await Until.TrueAsync($"{_command} ends", () => Task.FromResult(_process.HasExited), () => Said);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // nsenter hands its death on to nobody.
            if (_entered) await SignalAsync("KILL");
            _process.Kill();
            // Not WaitForExitAsync: it also waits for the output's end, which a grandchild may hold open.
            _process.WaitForExit(TimeSpan.FromSeconds(10));
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_said) _said.Append(line).Append('\n');
    }
}
