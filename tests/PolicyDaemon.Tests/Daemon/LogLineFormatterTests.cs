using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Daemon;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public class LogLineFormatterTests
{
    [Fact]
    public void A_line_is_one_event_and_cannot_steer_a_terminal()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var entry = new LogEntry<string>(LogLevel.Warning, "x", new EventId(3015), "one\ntwo\u001b[31m\0\u202e", null, (state, _) => state);

        new LogLineFormatter(TimeProvider.System, forJournal: true).Write(in entry, null, output);

        Assert.Equal("<4>3015 one | two\\u{001B}[31m\\u{0000}\\u{202E}\n", output.ToString());
    }
}
