using System.Text;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class ForgivingWriterTests
{
    public static TheoryData<Exception, string> Faults => new()
    {
        { new IOException("No space left on device"), "No space left on device" },
        { new UnauthorizedAccessException("Access denied", new IOException("Bad file descriptor")), "Bad file descriptor" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_stream_that_cannot_be_written_stops_no_command(Exception fault, string problem)
    {
        await using var inner = new Broken(fault);
        await using var output = new ForgivingWriter(inner);
        await using var error = new ForgivingWriter(inner);

        Assert.Equal(0, await DaemonCommand.RunAsync(["--version"], output, error));
        Assert.Equal(2, await DaemonCommand.RunAsync(["--chekc"], output, error));

        Assert.Equal((problem, problem), (output.Problem, error.Problem));
    }

    private sealed class Broken(Exception fault) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw fault;
    }
}
