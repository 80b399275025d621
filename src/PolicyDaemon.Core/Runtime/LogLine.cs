namespace PolicyDaemon.Core.Runtime;

/// <summary>How grave an event is, in the numbers of the journal (sd-daemon(3)).</summary>
public enum LogPriority
{
    Critical = 2,
    Error = 3,
    Warning = 4,
    Information = 6,
    Debug = 7,
}

/// <summary>Formats a log line, one per event: for the journal <c>&lt;priority&gt;event message</c> (sd-daemon(3)), for a terminal with the time.</summary>
/// <remarks>The framework's formatters print the class that logs, which tells an operator nothing; the event id is what a monitoring rule needs.
/// Whoever logs the words of a peer or a program escapes them; here is the last door, for what nobody thought of.</remarks>
public sealed class LogLine(TimeProvider time, bool forJournal)
{
    // An exception with its stack stays far below; a line of any length would take the room of all others.
    private const int MaxMessage = 16_000;

    public string Text(LogPriority priority, int eventId, string message, Exception? exception)
    {
        ArgumentNullException.ThrowIfNull(message);
        var word = priority switch
        {
            LogPriority.Critical => "critical",
            LogPriority.Error => "error",
            LogPriority.Warning => "warning",
            LogPriority.Information => "info",
            _ => "debug",
        };
        if (exception is not null)
            message = $"{message}: {exception}";
        if (message.Length > MaxMessage)
            message = $"{message.AsSpan(0, MaxMessage)}...";
        // A line is an event: what follows a line feed would lose its priority in the journal.
        message = ShownText.Escape(message.ReplaceLineEndings(" | "));
        return forJournal
            ? $"<{(int)priority}>{eventId} {message}\n"
            : $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'} {word} {eventId} {message}\n";
    }
}
