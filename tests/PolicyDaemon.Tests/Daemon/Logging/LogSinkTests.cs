using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Logging;

public sealed class LogSinkTests : IDisposable
{
    private readonly ManualResetEventSlim reading = new(initialState: true);
    private readonly StringBuilder read = new();
    private readonly LogSink sink;
    private readonly ILogger logger;
    private volatile bool isFull;

    public LogSinkTests()
    {
        sink = new LogSink(new LogLine(new FakeTimeProvider(), forJournal: true), line =>
        {
            reading.Wait(Until.Deadline);
            if (isFull)
                throw new IOException("No space left on device");
            lock (read)
                read.Append(Encoding.UTF8.GetString(line));
        });
        logger = sink.CreateLogger("test");
    }

    private string Read
    {
        get
        {
            lock (read)
                return read.ToString();
        }
    }

    [Fact]
    public void Lines_come_in_order_with_their_priority_and_event()
    {
        logger.Log(LogLevel.Warning, new EventId(7), "first\nof two", null, (text, _) => text);
        logger.Log(LogLevel.Information, new EventId(8), "second", null, (text, _) => text);
        sink.Dispose();
        Assert.Equal("<4>7 first | of two\n<6>8 second\n", Read);
        Assert.Equal(0, sink.Dropped);
    }

    [Fact]
    public async Task A_reader_that_stands_still_holds_up_nobody_and_is_told_what_it_missed()
    {
        reading.Reset();
        const int count = 50_000;
        for (var i = 0; i < count; i++)
            Say($"line {i} with some words that make it as long as a line is");
        var dropped = sink.Dropped;
        Assert.InRange(dropped, 1, count - 1);

        reading.Set();
        await Until.TrueAsync(() => Read.Contains("<4>3020 ", StringComparison.Ordinal));
        Say("the last");
        await Until.TrueAsync(() => Read.EndsWith("the last\n", StringComparison.Ordinal));
        Assert.Contains($"<4>3020 {dropped} log lines were dropped", Read, StringComparison.Ordinal);
        Assert.Equal(dropped, sink.Dropped);
        Assert.Equal(count - dropped + 2, Read.Count(character => character == '\n'));
    }

    [Fact]
    public void What_waits_to_be_read_takes_a_bounded_room()
    {
        reading.Reset();
        var text = new string('x', 10_000);
        for (var i = 0; i < 1000; i++)
            Say(text);
        Assert.InRange(sink.Dropped, 1000 - (1024 * 1024 / text.Length) - 1, 1000);
    }

    [Fact]
    public void A_line_of_any_length_leaves_room_for_others()
    {
        Say(new string('x', 5_000_000));
        sink.Dispose();
        Assert.InRange(Read.Length, 1000, 20_000);
        Assert.EndsWith("...\n", Read, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_costs_the_lines_and_nothing_else()
    {
        isFull = true;
        for (var i = 0; i < 100; i++)
            Say("lost");
        await Until.TrueAsync(() => sink.Dropped == 100);
        Assert.Empty(Read);

        isFull = false;
        Say("kept");
        await Until.TrueAsync(() => Read.EndsWith("kept\n", StringComparison.Ordinal));
        Assert.Equal(2, Read.Count(character => character == '\n'));
        Assert.StartsWith("<4>3020 100 log lines were dropped", Read, StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_does_not_wait_for_a_reader_that_stands_still()
    {
        reading.Reset();
        Say("never read");
        var end = new Thread(sink.Dispose);
        end.Start();
        Assert.True(end.Join(Until.Deadline));
        Say("too late");
        Assert.Equal(1, sink.Dropped);
    }

    public void Dispose()
    {
        isFull = true;
        reading.Set();
        sink.Dispose();
        reading.Dispose();
    }

    private void Say(string text) => logger.Log(LogLevel.Information, new EventId(1), text, null, (state, _) => state);
}
