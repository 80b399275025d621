using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace PolicyDaemon.Daemon;

/// <summary>The framework's console logger would follow changes of its options; ours never change.</summary>
internal sealed class ConsoleOptions : IOptionsMonitor<ConsoleLoggerOptions>
{
    public ConsoleLoggerOptions CurrentValue { get; } = new() { FormatterName = LogLineFormatter.FormatterName };

    public ConsoleLoggerOptions Get(string? name) => CurrentValue;

    public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
}
