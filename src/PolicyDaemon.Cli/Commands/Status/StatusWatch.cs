using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>status --watch</c>: the same screen again and again, in place, until a key is pressed.</summary>
/// <remarks>It is drawn on the terminal's other screen, so that what stood there is there again afterwards (xterm: DECSET 1049), and each
/// drawing overwrites the one before without clearing it first, so that nothing flickers.
/// The queue of Postfix is read once a minute only.</remarks>
internal static class StatusWatch
{
    private const string Enter = "\x1b[?1049h\x1b[?25l";
    private const string Leave = "\x1b[?25h\x1b[?1049l";
    private const string Home = "\x1b[H";
    private const string ToEndOfLine = "\x1b[K";
    private const string ToEndOfScreen = "\x1b[J";

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    internal static async Task<ExitCode> RunAsync(CommandContext context, Func<Report, ExitCode> show, CancellationToken cancellation)
    {
        var host = context.Host;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var code = ExitCode.Done;
        await host.Out.WriteAsync(Enter);
        var key = host.KeyPress(ending.Token);
        try
        {
            while (!ending.IsCancellationRequested && !key.IsCompleted)
            {
                var text = new StringWriter { NewLine = "\n" };
                code = show(context.Report.On(host with { Out = text }));
                await host.Out.WriteAsync(Screen(text.ToString(), host.Height()));
                await host.Out.FlushAsync(CancellationToken.None);
                await ((Task)Task.WhenAny(key, Task.Delay(Every, host.Time, ending.Token))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            // First the screen: whatever becomes of the keyboard, what stood there is there again.
            await host.Out.WriteAsync(Leave);
            await host.Out.FlushAsync(CancellationToken.None);
            await ending.CancelAsync();
            await key.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return code;
    }

    private static string Screen(string text, int height)
    {
        var lines = text.TrimEnd('\n').Split('\n');
        var room = height > 2 ? height - 1 : int.MaxValue;
        var shown = lines.Length <= room ? lines : [.. lines[..(room - 1)], "..."];
        return Home + string.Concat(shown.Select(line => line + ToEndOfLine + "\r\n")) + ToEndOfScreen;
    }
}
