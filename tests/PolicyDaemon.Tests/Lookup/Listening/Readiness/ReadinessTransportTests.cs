using System.Buffers;
using System.Net.Sockets;
using System.Security.Cryptography;
using PolicyDaemon.Lookup.Listening.Readiness;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

public sealed class ReadinessTransportTests : IDisposable
{
    private readonly ReadinessLoop loop = new();

    public void Dispose() => loop.Dispose();

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_waiting_read_ends_when_octets_come(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        await loop.ServeAsync(pair, async transport =>
        {
            for (byte round = 1; round <= 50; round++)
            {
                var read = transport.Input.ReadAllAsync();
                Assert.False(read.IsCompleted);
                pair.Far.Send([round, round]);
                Assert.Equal([round, round], await read);
                Assert.True(loop.IsCurrent);
            }
        });
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Octets_that_were_there_before_the_watch_are_read(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        pair.Far.Send("abc"u8);
        await loop.ServeAsync(pair, async transport => Assert.Equal("abc"u8.ToArray(), await transport.Input.ReadAllAsync()));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Octets_and_the_end_that_come_together_are_both_seen(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        pair.Far.Send("abc"u8);
        pair.Far.Shutdown(SocketShutdown.Both);
        pair.Far.Close();
        await loop.ServeAsync(pair, async transport =>
        {
            Assert.Equal("abc"u8.ToArray(), await transport.Input.ReadAllAsync());
            Assert.Empty(await transport.Input.ReadAllAsync());
            Assert.True((await transport.Input.ReadAsync(TestContext.Current.CancellationToken)).IsCompleted);
        });
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_end_is_seen_by_a_read_that_waits(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        await loop.ServeAsync(pair, async transport =>
        {
            var read = transport.Input.ReadAllAsync();
            pair.Far.Close();
            Assert.Empty(await read);
        });
    }

    [Theory]
    [InlineData(true, 1, true)]
    [InlineData(true, 7, false)]
    [InlineData(false, 7, true)]
    [InlineData(true, 1000, true)]
    [InlineData(true, 6000, false)]
    [InlineData(false, 1024, false)]
    public async Task What_is_not_consumed_is_read_again_with_what_came_behind(bool isUnix, int consumed, bool isExamined)
    {
        using var pair = SocketPair.Connect(isUnix);
        var sent = RandomNumberGenerator.GetBytes(7000);
        pair.Far.Send(sent);
        pair.Far.Shutdown(SocketShutdown.Send);
        await loop.ServeAsync(pair, async transport =>
        {
            var received = new List<byte>();
            while (true)
            {
                var read = await transport.Input.ReadAsync(TestContext.Current.CancellationToken);
                Assert.True(read.Buffer.IsSingleSegment);
                Assert.Equal(sent[received.Count..][..(int)read.Buffer.Length], read.Buffer.ToArray());
                if (read.IsCompleted && read.Buffer.IsEmpty)
                    break;
                // Less than that is only looked at, until it is more or the end.
                var enough = read.Buffer.Length >= consumed || read.IsCompleted;
                var taken = enough ? read.Buffer.Slice(0, Math.Min(consumed, read.Buffer.Length)) : read.Buffer.Slice(0, 0);
                received.AddRange(taken.ToArray());
                transport.Input.AdvanceTo(taken.End, isExamined || !enough ? read.Buffer.End : taken.End);
                if (isExamined && enough && received.Count + consumed > sent.Length)
                    break;
            }

            Assert.InRange(received.Count, sent.Length - consumed, sent.Length);
        });
    }

    [Fact]
    public async Task Who_keeps_what_it_reads_while_it_waits_for_something_else_keeps_it_unchanged()
    {
        using var first = SocketPair.Connect(isUnix: true);
        using var second = SocketPair.Connect(isUnix: true);
        var other = new TaskCompletionSource();
        var keeping = loop.ServeAsync(first, async transport =>
        {
            var read = await transport.Input.ReadAsync(TestContext.Current.CancellationToken);
            await other.Task;
            await transport.YieldAsync();
            Assert.True(loop.IsCurrent);
            Assert.Equal("mine"u8.ToArray(), read.Buffer.ToArray());
            transport.Input.AdvanceTo(read.Buffer.End);
            await transport.Output.SendAsync("late"u8);
        });
        first.Far.Send("mine"u8);
        var echo = loop.ServeAsync(second, async transport =>
        {
            for (var round = 0; round < 10; round++)
                await transport.Output.SendAsync(await transport.Input.ReadAllAsync());
        });
        var received = new byte[10];
        for (var round = 0; round < 10; round++)
        {
            second.Far.Send("theirs"u8);
            Assert.Equal(6, second.Far.Receive(received));
        }

        await echo;
        // From another thread, as an answer that took its time.
        other.SetResult();
        await keeping;
        Assert.Equal(4, first.Far.Receive(received));
    }

    [Fact]
    public async Task A_read_is_cancelled_from_any_thread_and_the_next_one_reads_as_before()
    {
        using var pair = SocketPair.Connect(isUnix: true);
        await loop.ServeAsync(pair, async transport =>
        {
            var cancelling = Task.Run(transport.Input.CancelPendingRead, TestContext.Current.CancellationToken);
            var read = await transport.Input.ReadAsync(TestContext.Current.CancellationToken);
            Assert.True(read.IsCanceled);
            Assert.True(loop.IsCurrent);
            transport.Input.AdvanceTo(read.Buffer.End);
            pair.Far.Send("abc"u8);
            Assert.Equal("abc"u8.ToArray(), await transport.Input.ReadAllAsync());
            await cancelling;
        });
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_short_reply_leaves_at_the_end_of_the_turn_and_the_flush_with_it(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        pair.Far.Send("x"u8);
        await loop.ServeAsync(pair, async transport =>
        {
            for (var round = 0; round < 20; round++)
            {
                await transport.Input.ReadAllAsync();
                var flush = transport.Output.SendAsync("reply"u8);
                Assert.False(flush.IsCompleted);
                Assert.Equal(0, pair.Far.Available);
                Assert.False((await flush).IsCompleted);
                Assert.Equal(5, pair.Far.Receive(new byte[10]));
                pair.Far.Send("x"u8);
            }
        });
    }

    [Theory]
    [InlineData(true, 300_000)]
    [InlineData(false, 8 * 1024 * 1024)]
    public async Task A_reply_beyond_what_the_peer_takes_waits_for_it(bool isUnix, int length)
    {
        using var pair = SocketPair.Connect(isUnix);
        // Left to itself the kernel makes room for all of it, once the peer has shown that it reads fast.
        pair.Far.ReceiveBufferSize = 64 * 1024;
        var sent = RandomNumberGenerator.GetBytes(length);
        await loop.ServeAsync(pair, async transport =>
        {
            for (var round = 0; round < 2; round++)
            {
                var flush = transport.Output.SendAsync(sent);
                Assert.False(flush.IsCompleted);
                // The other direction is not held up by it.
                pair.Far.Send("abc"u8);
                Assert.Equal("abc"u8.ToArray(), await transport.Input.ReadAllAsync());
                var received = new byte[sent.Length];
                var receiving = Task.Run(() =>
                {
                    for (var at = 0; at < received.Length;)
                        at += pair.Far.Receive(received.AsSpan(at));
                }, TestContext.Current.CancellationToken);
                await flush;
                Assert.True(loop.IsCurrent);
                await receiving;
                await transport.YieldAsync();
                Assert.Equal(sent, received);
            }
        });
    }

    [Fact]
    public async Task Many_short_replies_beyond_what_the_peer_takes_wait_for_it_whole()
    {
        using var pair = SocketPair.Connect(isUnix: true);
        const int count = 2000;
        var flushed = 0;
        var serving = loop.ServeAsync(pair, async transport =>
        {
            for (var round = 0; round < count; round++)
            {
                await transport.Output.SendAsync(BitConverter.GetBytes(round));
                Volatile.Write(ref flushed, round + 1);
            }
        });
        // Small messages fill a unix socket's buffer long before their octets would.
        var before = 0;
        while (before == 0 || Volatile.Read(ref flushed) != before)
        {
            before = Volatile.Read(ref flushed);
            await loop.YieldAsync();
            await loop.YieldAsync();
            await loop.YieldAsync();
            await Task.Yield();
        }

        Assert.InRange(before, 1, count - 1);
        var received = new byte[4 * count];
        for (var at = 0; at < received.Length;)
            at += pair.Far.Receive(received.AsSpan(at));
        await serving;
        for (var round = 0; round < count; round++)
            Assert.Equal(round, BitConverter.ToInt32(received, 4 * round));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_peer_that_sends_no_more_can_still_be_answered(bool isUnix)
    {
        using var pair = SocketPair.Connect(isUnix);
        pair.Far.Shutdown(SocketShutdown.Send);
        await loop.ServeAsync(pair, async transport =>
        {
            Assert.Empty(await transport.Input.ReadAllAsync());
            await transport.Output.SendAsync("answer"u8);
        });
        Assert.Equal(6, pair.Far.Receive(new byte[10]));
    }

    [Fact]
    public async Task A_reset_fails_the_waiting_read()
    {
        using var pair = SocketPair.Connect(isUnix: false);
        await loop.ServeAsync(pair, async transport =>
        {
            var read = transport.Input.ReadAllAsync();
            pair.Far.LingerState = new LingerOption(true, 0);
            pair.Far.Close();
            await Assert.ThrowsAsync<IOException>(() => read);
        });
    }

    [Theory]
    [InlineData(true, 8 * 1024 * 1024)]
    [InlineData(false, 8 * 1024 * 1024)]
    [InlineData(true, 10)]
    public async Task A_peer_that_goes_fails_the_waiting_reply(bool isUnix, int length)
    {
        using var pair = SocketPair.Connect(isUnix);
        await loop.ServeAsync(pair, async transport =>
        {
            var flush = transport.Output.SendAsync(new byte[length]).AsTask();
            Assert.False(flush.IsCompleted);
            pair.Far.LingerState = new LingerOption(true, 0);
            pair.Far.Close();
            await Assert.ThrowsAsync<IOException>(() => flush);
        });
        Assert.False(loop.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Disposing_ends_what_waits_and_refuses_what_follows(bool isUnix, bool elsewhere)
    {
        using var pair = SocketPair.Connect(isUnix);
        await loop.ServeAsync(pair, async transport =>
        {
            var read = transport.Input.ReadAllAsync();
            var flush = transport.Output.SendAsync(new byte[8 * 1024 * 1024]).AsTask();
            Assert.False(flush.IsCompleted);

            var disposing = elsewhere ? Task.Run(transport.Dispose, TestContext.Current.CancellationToken) : Task.CompletedTask;
            if (!elsewhere)
                transport.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => flush);
            Assert.True(loop.IsCurrent);
            transport.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => transport.Input.ReadAllAsync());
            await Assert.ThrowsAsync<ObjectDisposedException>(() => transport.Output.SendAsync("x"u8).AsTask());
            await disposing;
        });
    }
}
