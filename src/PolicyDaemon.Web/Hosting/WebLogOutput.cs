using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Web.Hosting;

/// <summary>Writes log lines to standard output, each at once; what cannot be written is left out.</summary>
/// <remarks>Not the framework's console, which sends a terminal <c>ESC [?1h ESC =</c> before its first word and takes it back never, and keeps a thread for
/// what this program says a few times a day. Whoever stops reading stops pages, no mail.</remarks>
internal sealed class WebLogOutput(LogLine line, TextWriter output) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(line, output);

    public void Dispose()
    {
        // What it writes to is its maker's.
    }

    private sealed class Logger(LogLine line, TextWriter output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            output.Write(line.Text(logLevel.Priority(), eventId.Id, formatter(state, exception), exception));
    }
}
