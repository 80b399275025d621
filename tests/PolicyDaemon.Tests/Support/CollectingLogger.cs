using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Tests.Support;

/// <summary>Keeps what was logged.</summary>
internal class CollectingLogger : ILogger
{
    private readonly Lock gate = new();
    private readonly List<(LogLevel Level, string Message)> lines = [];

    internal IReadOnlyList<(LogLevel Level, string Message)> Lines
    {
        get
        {
            lock (gate)
                return [.. lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (gate)
            lines.Add((logLevel, formatter(state, exception)));
    }
}

/// <summary>The same for whoever asks for a logger of its own.</summary>
internal sealed class CollectingLogger<T> : CollectingLogger, ILogger<T>;
