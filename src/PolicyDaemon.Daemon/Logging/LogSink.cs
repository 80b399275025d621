using System.Text;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Logging;

/// <summary>The sink of every log line of policyd: a bounded queue, and one thread that writes it out.</summary>
/// <remarks>
/// Nobody who logs ever waits for whoever reads the log: the thread that answers lookups logs, too, and a stopped journal or a pager
/// must not stop mail. A line that finds the queue full, or that cannot be written, is dropped and counted; the count stands in the
/// status file, and in the log itself as soon as it is read again.
/// </remarks>
internal sealed class LogSink : ILoggerProvider
{
    /// <summary>Writes one line, whole; it may take as long as the reader likes.</summary>
    /// <exception cref="IOException">The line cannot be written.</exception>
    internal delegate void LineWriter(ReadOnlySpan<byte> line);

    // Characters: some ten thousand lines, 2 MiB of memory at most.
    private const int Capacity = 1024 * 1024;

    /// <summary>How long the end of the process waits for a reader.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    private readonly object sync = new();
    private readonly Queue<string> waiting = new();
    private readonly LogLine line;
    private readonly LineWriter write;
    private readonly Thread thread;
    private int characters;
    private long dropped;
    private long told;
    private bool stopping;

    public LogSink(LogLine line, LineWriter write)
    {
        this.line = line;
        this.write = write;
        thread = new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "log" };
        thread.Start();
    }

    /// <summary>How many lines were dropped since the start.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public ILogger CreateLogger(string categoryName) => new Logger(line, Add);

    /// <summary>Takes no more lines, and writes those in the queue for as long as somebody reads them.</summary>
    public void Dispose()
    {
        lock (sync)
        {
            stopping = true;
            Monitor.Pulse(sync);
        }

        thread.Join(Farewell);
    }

    private void Add(string text)
    {
        lock (sync)
        {
            if (!stopping && characters + text.Length <= Capacity)
            {
                characters += text.Length;
                waiting.Enqueue(text);
                Monitor.Pulse(sync);
                return;
            }
        }

        Interlocked.Increment(ref dropped);
    }

    private void Run()
    {
        while (Next(out var isRelieved) is { } text)
        {
            var lost = Dropped;
            // Not while the queue is still nearly full: a reader that is too slow would read of little else.
            var report = isRelieved && lost > told ? Report(lost - told) : "";
            try
            {
                write(Encoding.UTF8.GetBytes(report + text));
                if (report.Length > 0)
                    told = lost;
            }
            catch (IOException)
            {
                // A closed or full standard output: the line is lost, the next one may not be.
                Interlocked.Increment(ref dropped);
            }
        }
    }

    private string? Next(out bool isRelieved)
    {
        lock (sync)
        {
            while (waiting.Count == 0 && !stopping)
                Monitor.Wait(sync);
            isRelieved = characters <= Capacity / 2;
            if (!waiting.TryDequeue(out var text))
                return null;
            characters -= text.Length;
            return text;
        }
    }

    private string Report(long count)
    {
        var report = "";
        // Past the queue: there it would wait behind other lines, or be dropped itself.
        new Logger(line, text => report = text).LinesDropped(count);
        return report;
    }

    private sealed class Logger(LogLine line, Action<string> take) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            take(line.Text(logLevel.Priority(), eventId.Id, formatter(state, exception), exception));
    }
}
