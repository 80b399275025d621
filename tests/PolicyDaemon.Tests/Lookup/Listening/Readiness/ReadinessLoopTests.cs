using System.Buffers.Binary;
using PolicyDaemon.Lookup.Listening.Readiness;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

public sealed class ReadinessLoopTests
{
    [Fact]
    public async Task Disposing_ends_the_thread_and_every_connection()
    {
        var loop = new ReadinessLoop();
        using var pair = SocketPair.Connect(isUnix: true);
        var started = new TaskCompletionSource();
        var serving = loop.ServeAsync(pair, async transport =>
        {
            var read = transport.Input.ReadAllAsync();
            started.SetResult();
            await read;
        });
        await started.Task.Soon();
        loop.Dispose();
        await loop.Completion.Soon();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => serving);
        Assert.Equal(0, pair.Far.Receive(new byte[1]));
        // What comes too late is still done.
        var late = false;
        loop.Post(() => late = true);
        Assert.True(late);
        using var other = SocketPair.Connect(isUnix: true);
        Assert.Throws<ObjectDisposedException>(() => new ReadinessTransport(loop, other.TakeNear()));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_peer_that_never_stops_sending_does_not_keep_the_others_waiting(bool isUnix)
    {
        using var loop = new ReadinessLoop();
        using var busy = SocketPair.Connect(isUnix);
        using var calm = SocketPair.Connect(isUnix);
        using var ended = new CancellationTokenSource();
        var flood = Task.Factory.StartNew(() =>
        {
            var octets = new byte[64 * 1024];
            while (!ended.IsCancellationRequested)
                busy.Far.Send(octets);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var reads = 0L;
        // From a socket that is never empty.
        var drain = loop.ServeAsync(busy, async transport =>
        {
            while (!ended.IsCancellationRequested)
            {
                var read = await transport.Input.ReadAsync(TestContext.Current.CancellationToken);
                Interlocked.Increment(ref reads);
                transport.Input.AdvanceTo(read.Buffer.GetPosition(read.Buffer.Length > 16 * 1024 ? read.Buffer.Length : 1), read.Buffer.End);
            }
        });
        var echo = loop.ServeAsync(calm, EchoAsync);
        var received = new byte[10];
        for (var round = 0; round < 100; round++)
        {
            calm.Far.Send("x"u8);
            Assert.Equal(1, calm.Far.Receive(received));
        }

        Assert.NotEqual(0, Interlocked.Read(ref reads));
        await ended.CancelAsync();
        calm.Far.Dispose();
        await echo;
        await drain;
        await flood.Ended();
    }

    [Fact]
    public async Task More_connections_than_one_wait_reports_are_all_served()
    {
        using var loop = new ReadinessLoop();
        var pairs = Enumerable.Range(0, 400).Select(_ => SocketPair.Connect(isUnix: true)).ToList();
        var echoes = pairs.ConvertAll(pair => loop.ServeAsync(pair, EchoAsync));
        foreach (var pair in pairs)
            pair.Far.Send("x"u8);
        var received = new byte[1];
        foreach (var pair in pairs)
            Assert.Equal(1, pair.Far.Receive(received));
        foreach (var pair in pairs)
            pair.Far.Dispose();
        await Task.WhenAll(echoes);
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
                var opened = new TaskCompletionSource<ReadinessTransport>();
                var echo = loop.ServeAsync(pair, transport =>
                {
                    opened.SetResult(transport);
                    return EchoAsync(transport);
                });
                var sent = new byte[8];
                BinaryPrimitives.WriteInt32LittleEndian(sent, round);
                BinaryPrimitives.WriteInt32LittleEndian(sent.AsSpan(4), worker);
                pair.Far.Send(sent);
                var received = new byte[8];
                Assert.Equal(8, pair.Far.Receive(received));
                Assert.Equal(sent, received);
                pair.Far.Send(sent);
                var transport = await opened.Task;
                if (round % 3 == 0)
                    pair.Far.Dispose();
                else if (round % 3 == 1)
                    transport.Dispose();
                else
                    await Task.WhenAll(Task.Run(pair.Far.Dispose), Task.Run(transport.Dispose));
                await echo.Ended();
            }
        })).ToArray();
        await Task.WhenAll(workers).Soon();
        Assert.False(loop.Completion.IsCompleted);
    }

    private static async Task EchoAsync(ReadinessTransport transport)
    {
        while (await transport.Input.ReadAllAsync() is { Length: > 0 } octets)
            await transport.Output.SendAsync(octets);
    }
}
