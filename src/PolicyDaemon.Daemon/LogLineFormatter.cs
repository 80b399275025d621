using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon;

/// <summary>One line per event: for the journal <c>&lt;priority&gt;event message</c> (sd-daemon(3)), for a terminal with the time.</summary>
/// <remarks>The framework's formatters print the class that logs, which tells an operator nothing; the event id is what a monitoring rule needs.
/// Whoever logs the words of a peer or a program escapes them; here is the last door, for what nobody thought of.</remarks>
internal sealed class LogLineFormatter(TimeProvider time, bool forJournal) : ConsoleFormatter(FormatterName)
{
    internal const string FormatterName = "policyd";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var (priority, word) = logEntry.LogLevel switch
        {
            LogLevel.Critical => (2, "critical"),
            LogLevel.Error => (3, "error"),
            LogLevel.Warning => (4, "warning"),
            LogLevel.Information => (6, "info"),
            _ => (7, "debug"),
        };
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (logEntry.Exception is { } exception)
            message = $"{message}: {exception}";
        // A line is an event: what follows a line feed would lose its priority in the journal.
        message = ShownText.Escape(message.ReplaceLineEndings(" | "));
        textWriter.WriteLine(forJournal
            ? $"<{priority}>{logEntry.EventId.Id} {message}"
            : $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {word} {logEntry.EventId.Id} {message}");
    }
}
