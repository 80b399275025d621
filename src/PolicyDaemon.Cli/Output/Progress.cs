using PolicyDaemon.Core.Runtime;
using Spectre.Console;

namespace PolicyDaemon.Cli.Output;

/// <summary>A progress bar on standard error, for long work in front of a person; nothing otherwise.</summary>
internal sealed class Progress : IDisposable, IProgress<long>, IProgress<(int Done, int All)>
{
    // Less work than this is over before a bar could be read.
    private const long WorthShowing = 2000;

    private readonly ProgressTask? task;
    private readonly TaskCompletionSource? finished;
    private readonly Task? running;
    private long steps;

    private Progress(ProgressTask? task, TaskCompletionSource? finished, Task? running)
    {
        this.task = task;
        this.finished = finished;
        this.running = running;
    }

    /// <param name="expected">How many steps there will be, as far as known.</param>
    /// <param name="worthShowing">With fewer there is no bar.</param>
    internal static Progress Start(CliHost host, string what, long expected, long worthShowing = WorthShowing)
    {
        if (!host.ErrorIsTerminal || expected < worthShowing)
            return new Progress(null, null, null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource<ProgressTask>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async bar =>
            {
                started.SetResult(bar.AddTask(Description(what), maxValue: expected));
                await finished.Task;
            });
        return new Progress(started.Task.GetAwaiter().GetResult(), finished, running);
    }

    /// <summary>A task's description is markup, in which a key such as [mx.example.com] would be an unknown colour and end the program.</summary>
    internal static string Description(string what) => Markup.Escape(ShownText.Escape(what));

    /// <summary>Where it turns out how many steps there are.</summary>
    public void Report((int Done, int All) value)
    {
        if (task is not null)
            task.MaxValue = value.All;
        Report(value.Done);
    }

    internal void Step() => Report(++steps);

    public void Report(long value)
    {
        if (task is not null)
            task.Value = value;
    }

    public void Dispose()
    {
        finished?.TrySetResult();
        running?.GetAwaiter().GetResult();
    }
}
