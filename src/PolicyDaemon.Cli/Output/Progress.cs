using PolicyDaemon.Core.Runtime;
using Spectre.Console;

namespace PolicyDaemon.Cli.Output;

/// <summary>A progress bar on standard error for long work, where that is a terminal; otherwise nothing.</summary>
internal sealed class Progress(Streams streams, string what, long worthShowing = Progress.WorthShowing)
    : IDisposable, IProgress<long>, IProgress<(int Done, int All)>
{
    // Less work than this is over before a bar could be read.
    private const long WorthShowing = 2000;

    private const int Narrowest = 40;

    private readonly Lock turn = new();
    private TaskCompletionSource? finished;
    private Task? running;
    private ProgressTask? task;

    /// <summary>Starts a bar at once.</summary>
    /// <param name="expected">How many steps there will be, as far as known.</param>
    /// <param name="worthShowing">The number of steps below which there is no bar.</param>
    internal static Progress Start(Streams streams, string what, long expected, long worthShowing = WorthShowing)
    {
        var progress = new Progress(streams, what, worthShowing);
        progress.Expect(expected);
        return progress;
    }

    /// <summary>Escapes a description: it is markup, in which a key such as [mx.example.com] would be an unknown colour and end the program.</summary>
    internal static string Description(string what) => Markup.Escape(ShownText.Escape(what));

    /// <summary>Starts the bar as soon as the number of steps is known to be worth one.</summary>
    public void Report((int Done, int All) value)
    {
        Expect(value.All);
        Report(value.Done);
    }

    public void Report(long value)
    {
        if (task is { } bar)
            bar.Value = value;
    }

    public void Dispose()
    {
        finished?.TrySetResult();
        running?.GetAwaiter().GetResult();
    }

    private void Expect(long steps)
    {
        if (!streams.ErrorIsTerminal || steps < worthShowing)
            return;
        // Several destinations report at once.
        lock (turn)
        {
            task ??= Begin(steps);
            task.MaxValue = steps;
        }
    }

    private ProgressTask Begin(long expected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new ErrorTerminal(streams.ErrorDevice ?? streams.Error, Math.Max(streams.ErrorWidth(), Narrowest)),
        });
        var end = finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource<ProgressTask>(TaskCreationOptions.RunContinuationsAsynchronously);
        running = console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async bar =>
            {
                started.SetResult(bar.AddTask(Description(what), maxValue: expected));
                await end.Task;
            });
        return started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Standard error, whose size is known: asked for it, .NET's console would send the terminal what nothing takes back.</summary>
    private sealed class ErrorTerminal(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => width;

        public int Height => 24;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}
