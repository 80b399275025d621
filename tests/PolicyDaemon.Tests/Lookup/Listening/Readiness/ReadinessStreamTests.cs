using System.Net.Sockets;
using System.Security.Cryptography;
using PolicyDaemon.Lookup.Listening.Readiness;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

public sealed class ReadinessStreamTests : IDisposable
{
    private readonly ReadinessLoop loop = new();

    public void Dispose() => loop.Dispose();

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_waiting_read_ends_when_octets_come(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        for (byte round = 1; round <= 50; round++)
        {
            var read = stream.StartRead(new byte[100]);
            Assert.False(read.IsCompleted);
            pair.Far.Send([round, round]);
            Assert.Equal(2, await read.Soon());
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Octets_that_were_there_before_the_watch_are_read(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        pair.Far.Send("abc"u8);
        using var stream = loop.Watch(pair.Near);
        Assert.Equal("abc"u8.ToArray(), await ReadAsync(stream, 3, bufferSize: 100));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Octets_and_the_end_that_come_together_are_both_seen(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        pair.Far.Send("abc"u8);
        pair.Far.Shutdown(SocketShutdown.Both);
        pair.Far.Close();

        Assert.Equal("abc"u8.ToArray(), await ReadAsync(stream, 3, bufferSize: 100));
        Assert.Equal(0, await stream.StartRead(new byte[100]).Soon());
        Assert.Equal(0, await stream.StartRead(new byte[100]).Soon());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_end_is_seen_by_a_read_that_waits(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        var read = stream.StartRead(new byte[100]);
        pair.Far.Close();
        Assert.Equal(0, await read.Soon());
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 7)]
    [InlineData(true, 1000)]
    [InlineData(false, 1)]
    [InlineData(false, 1000)]
    public async Task More_octets_than_the_buffer_takes_come_in_turns(bool isUnix, int bufferSize)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        var sent = RandomNumberGenerator.GetBytes(7000);
        pair.Far.Send(sent);
        Assert.Equal(sent, await ReadAsync(stream, sent.Length, bufferSize));
    }

    [Fact]
    public async Task Who_lets_the_others_have_a_turn_goes_on_afterwards_and_reads_as_before()
    {
        using var pair = SocketPair.Connect(isUnix: true);
        using var stream = loop.Watch(pair.Near);
        for (byte round = 0; round < 50; round++)
        {
            var read = stream.StartRead(new byte[100]);
            await stream.YieldAsync().AsTask().Soon();
            Assert.False(read.IsCompleted);
            pair.Far.Send([round]);
            Assert.Equal(1, await read.Soon());
        }
    }

    [Fact]
    public async Task A_turn_that_is_waited_for_ends_with_the_stream()
    {
        using var pair = SocketPair.Connect(isUnix: true);
        using var other = SocketPair.Connect(isUnix: true);
        using var stream = loop.Watch(pair.Near);
        using var blocking = loop.Watch(other.Near);
        using var go = new ManualResetEventSlim();
        // The loop's thread stands still, so that the turn does not come.
        var held = HoldAsync();
        other.Far.Send("x"u8);
        async Task HoldAsync()
        {
            await blocking.ReadAsync(new byte[1], TestContext.Current.CancellationToken).ConfigureAwait(false);
            go.Wait(TestContext.Current.CancellationToken);
        }

        var turn = stream.YieldAsync().AsTask();
        stream.Dispose();
        await turn.Ended();
        go.Set();
        await held.Soon();
        Assert.True(turn.IsFaulted || turn.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.YieldAsync().AsTask());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_write_beyond_what_the_peer_takes_waits_for_it(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        var sent = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        for (var round = 0; round < 2; round++)
        {
            var write = stream.StartWrite(sent);
            Assert.False(write.IsCompleted);
            // The other direction is not held up by it.
            pair.Far.Send("abc"u8);
            Assert.Equal("abc"u8.ToArray(), await ReadAsync(stream, 3, bufferSize: 100));

            var received = new byte[sent.Length];
            await Task.Run(() =>
            {
                for (var at = 0; at < received.Length;)
                    at += pair.Far.Receive(received.AsSpan(at));
            }, TestContext.Current.CancellationToken).Soon();
            await write.Soon();
            Assert.Equal(sent, received);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_peer_that_sends_no_more_can_still_be_answered(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        pair.Far.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await stream.StartRead(new byte[10]).Soon());
        await stream.StartWrite("answer"u8.ToArray()).Soon();
        var received = new byte[10];
        Assert.Equal(6, pair.Far.Receive(received));
    }

    [Fact]
    public async Task A_reset_fails_the_waiting_read()
    {
        using var pair = SocketPair.Connect(isUnix: false);
        using var stream = loop.Watch(pair.Near);
        var read = stream.StartRead(new byte[10]);
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Close();
        await Assert.ThrowsAsync<SocketException>(() => read.Soon());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_peer_that_goes_fails_the_waiting_write(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        using var stream = loop.Watch(pair.Near);
        var write = stream.StartWrite(new byte[8 * 1024 * 1024]);
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Close();
        await Assert.ThrowsAsync<SocketException>(() => write.Soon());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Disposing_ends_what_waits_and_refuses_what_follows(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        var stream = loop.Watch(pair.Near);
        var read = stream.StartRead(new byte[10]);
        var write = stream.StartWrite(new byte[8 * 1024 * 1024]);
        Assert.False(write.IsCompleted);

        stream.Dispose();
        stream.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => write.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.StartRead(new byte[10]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.StartWrite(new byte[10]));
    }

    private static async Task<byte[]> ReadAsync(ReadinessStream stream, int count, int bufferSize)
    {
        var all = new List<byte>();
        var buffer = new byte[bufferSize];
        while (all.Count < count)
        {
            var length = await stream.StartRead(buffer).Soon();
            Assert.NotEqual(0, length);
            all.AddRange(buffer.AsSpan(0, length));
        }

        return [.. all];
    }
}
