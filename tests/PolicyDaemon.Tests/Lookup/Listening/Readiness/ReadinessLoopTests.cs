using System.Buffers.Binary;
using PolicyDaemon.Lookup.Listening.Readiness;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

public sealed class ReadinessLoopTests
{
    [Fact]
    public async Task Disposing_ends_the_thread()
    {
        var loop = new ReadinessLoop();
        loop.Dispose();
        await loop.Completion.Soon();
        using var pair = SocketPair.Connect(isUnix: true);
        Assert.Throws<ObjectDisposedException>(() => loop.Watch(pair.Near));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_peer_that_never_stops_sending_does_not_keep_the_others_waiting(bool isUnix)
    {
        using var loop = new ReadinessLoop();
        using var busy = SocketPair.Connect(isUnix);
        using var calm = SocketPair.Connect(isUnix);
        using var busyStream = loop.Watch(busy.Near);
        using var calmStream = loop.Watch(calm.Near);
        using var ended = new CancellationTokenSource();

        // One octet at a time from a socket that is never empty, from the loop's thread once the first read waited.
        var flood = Task.Factory.StartNew(() =>
        {
            var octets = new byte[64 * 1024];
            while (!ended.IsCancellationRequested)
                busy.Far.Send(octets);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var reads = 0L;
        var drain = DrainAsync();
        async Task DrainAsync()
        {
            var buffer = new byte[1];
            while (!ended.IsCancellationRequested && await busyStream.StartRead(buffer) > 0)
                Interlocked.Increment(ref reads);
        }

        for (var round = 0; round < 100; round++)
        {
            var read = calmStream.StartRead(new byte[10]);
            calm.Far.Send("x"u8);
            Assert.Equal(1, await read.Soon());
        }

        Assert.NotEqual(0, Interlocked.Read(ref reads));
        await ended.CancelAsync();
        busyStream.Dispose();
        await drain.Ended();
        await flood.Ended();
    }

    [Fact]
    public async Task More_connections_than_one_wait_reports_are_all_served()
    {
        using var loop = new ReadinessLoop();
        var pairs = Enumerable.Range(0, 400).Select(_ => SocketPair.Connect(isUnix: true)).ToList();
        var streams = pairs.ConvertAll(pair => loop.Watch(pair.Near));
        var echoes = streams.ConvertAll(EchoAsync);
        foreach (var pair in pairs)
            pair.Far.Send("x"u8);
        var received = new byte[1];
        foreach (var pair in pairs)
            Assert.Equal(1, pair.Far.Receive(received));
        foreach (var pair in pairs)
            pair.Far.Dispose();
        await Task.WhenAll(echoes).Ended();
        Assert.All(echoes, echo => Assert.True(echo.IsCompleted));
    }

    [Fact]
    public async Task A_connection_never_meets_the_octets_of_the_one_that_had_its_descriptor()
    {
        using var loop = new ReadinessLoop();
        // Sockets are closed by their peers, by us, and by both at once while events are under way; their numbers are reused at once.
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var round = 0; round < 500; round++)
            {
                using var pair = SocketPair.Connect(isUnix: (round + worker) % 2 == 0);
                using var stream = loop.Watch(pair.Near);
                var echo = EchoAsync(stream);
                var sent = new byte[8];
                BinaryPrimitives.WriteInt32LittleEndian(sent, round);
                BinaryPrimitives.WriteInt32LittleEndian(sent.AsSpan(4), worker);
                pair.Far.Send(sent);
                var received = new byte[8];
                Assert.Equal(8, pair.Far.Receive(received));
                Assert.Equal(sent, received);
                pair.Far.Send(sent);
                if (round % 3 == 0)
                    pair.Far.Dispose();
                else if (round % 3 == 1)
                    stream.Dispose();
                else
                    await Task.WhenAll(Task.Run(pair.Far.Dispose), Task.Run(stream.Dispose));
                await echo.Ended();
            }
        })).ToArray();
        await Task.WhenAll(workers).Soon();
        Assert.False(loop.Completion.IsCompleted);
    }

    private static async Task EchoAsync(ReadinessStream stream)
    {
        var buffer = new byte[64];
        int count;
        while ((count = await stream.StartRead(buffer)) > 0)
            await stream.StartWrite(buffer.AsMemory(0, count));
    }
}
