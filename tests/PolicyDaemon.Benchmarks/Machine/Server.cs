using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>A server under measurement; ended with this object.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private bool isDisposed;

    private Server(Process process, TimeSpan firstAnswer)
    {
        this.process = process;
        FirstAnswer = firstAnswer;
        CpuToFirstAnswer = ProcessClock.Of(process.Id);
    }

    internal int Pid => process.Id;

    /// <summary>From before the process was made until the first reply was here.</summary>
    internal TimeSpan FirstAnswer { get; }

    internal TimeSpan CpuToFirstAnswer { get; }

    /// <summary>Resident memory, shared pages of libraries included.</summary>
    internal long ResidentKiB => Status("VmRSS:");

    /// <summary>Of that, what is the process's own: not the pages of libraries and files.</summary>
    internal long AnonymousKiB => Status("RssAnon:");

    internal long PeakKiB => Status("VmHWM:");

    internal int Descriptors => Directory.GetFiles($"/proc/{Pid}/fd").Length;

    internal long Threads => Status("Threads:");

    internal TimeSpan Cpu => ProcessClock.Of(Pid);

    /// <summary>Starts a server and asks until it answers, whatever it answers.</summary>
    internal static async Task<Server> StartAsync(
        IReadOnlyList<string> command, Endpoint endpoint, string question = "nobody.example", IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var log = new Queue<string>();
        var clock = Stopwatch.StartNew();
        var process = Process.Start(start) ?? throw new BenchmarkException($"{command[0]} cannot be started");
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        while (!await Asker.AnswersAsync(endpoint, question))
        {
            if (process.HasExited || clock.Elapsed > StartDeadline)
            {
                lock (log)
                    throw new BenchmarkException($"{string.Join(' ', command)} does not answer on {endpoint.Text}:\n{string.Join('\n', log)}");
            }

            await Task.Delay(1);
        }

        return new Server(process, clock.Elapsed);

        void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (log)
            {
                if (line.Data is not null)
                    log.Enqueue(line.Data);
                if (log.Count > 20)
                    log.Dequeue();
            }
        }
    }

    /// <summary>Ends it at once, with nothing written.</summary>
    internal async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Sends a signal by its name, such as STOP.</summary>
    internal void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        if (!process.HasExited)
        {
            // SIGTERM, so that it writes what it writes at its end.
            using var term = Process.Start("kill", process.Id.ToString(CultureInfo.InvariantCulture));
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private long Status(string field)
    {
        var line = File.ReadLines($"/proc/{Pid}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.Integer, CultureInfo.InvariantCulture);
    }
}
