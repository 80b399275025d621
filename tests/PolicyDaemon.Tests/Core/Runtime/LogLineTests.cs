using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class LogLineTests
{
    [Fact]
    public void A_line_is_one_event_and_cannot_steer_a_terminal() => Assert.Equal(
        "<4>3015 one | two\\u{001B}[31m\\u{0000}\\u{202E}\n",
        new LogLine(TimeProvider.System, forJournal: true).Text(LogPriority.Warning, 3015, "one\ntwo\u001b[31m\0\u202e", null));
}
