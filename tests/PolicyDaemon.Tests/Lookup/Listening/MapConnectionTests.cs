using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>Connections without sockets, under a clock that only the test moves.</summary>
public sealed class MapConnectionTests : IDisposable
{
    private readonly LookupTestData data = new();
    private readonly FakeTimeProvider time = new();
    private readonly CollectingLogger logger = new();
    private readonly ConnectionRegistry registry;

    public MapConnectionTests() => registry = new(data.Service, new LookupOptions(), logger, time);

    public void Dispose() => registry.Dispose();

    [Fact]
    public void Pipelined_requests_are_answered_in_order()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("21:tlspolicy example.com,14:tlspolicy .com,13:other a.exam.,22:tlspolicy .example.com,"u8);
        Assert.Equal(
            "50:OK secure match=mx.example.com servername=hostname,9:NOTFOUND ,"
            + "66:PERM no such map here; the maps are tlspolicy and tlspolicy-tlsrpt,10:OK encrypt,",
            Text(peer.Received()));
    }

    [Fact]
    public void A_broken_frame_behind_good_ones_ends_the_connection_after_their_answers()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("14:tlspolicy .com,oops"u8);
        Assert.Equal("9:NOTFOUND ,", Text(peer.Received()));
        Assert.True(peer.IsDisposed);
        Assert.Equal(1, data.Service.Counters.ProtocolErrors);
        Assert.Equal(0, data.Service.Counters.ConnectionsOpen);
    }

    [Fact]
    public void A_broken_tcp_table_line_is_an_error_and_the_next_one_is_answered()
    {
        var peer = Connect(MapProtocol.TcpTable);
        peer.Send("put a b\nget %zz\nget .example.com\n"u8);
        Assert.Matches("^400 [^\n]+\n400 [^\n]+\n200 encrypt\n$", Text(peer.Received()));
        Assert.False(peer.IsDisposed);
    }

    [Fact]
    public void A_request_that_does_not_become_whole_in_time_ends_the_connection()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("21:tlspol"u8);
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(peer.IsDisposed);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(peer.IsDisposed);
        Assert.Equal(1, data.Service.Counters.Timeouts);
        Assert.Contains("did not send its whole request within 30 s", Warning(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_octet_at_a_time_does_not_extend_the_time_of_a_request()
    {
        var peer = Connect(MapProtocol.TcpTable);
        for (var i = 0; i < 8 && !peer.IsDisposed; i++)
        {
            peer.Send("x"u8);
            time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.True(peer.IsDisposed);
    }

    [Fact]
    public void A_slow_request_that_arrives_in_time_is_answered()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("14:tlsp"u8);
        time.Advance(TimeSpan.FromSeconds(20));
        peer.Send("olicy .com,"u8);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("9:NOTFOUND ,", Text(peer.Received()));
        Assert.False(peer.IsDisposed);
    }

    [Theory]
    [InlineData(MapProtocol.Socketmap)]
    [InlineData(MapProtocol.TcpTable)]
    public void An_idle_connection_is_kept(MapProtocol protocol)
    {
        var peer = Connect(protocol);
        time.Advance(TimeSpan.FromDays(3));
        Assert.False(peer.IsDisposed);
    }

    [Fact]
    public void A_peer_that_does_not_take_its_reply_is_ended_in_time()
    {
        var peer = new PipeTransport(takesReplies: false);
        Assert.True(registry.Admit(peer, registry.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap))));
        // Half a request waits behind the reply; that is not what it waits for.
        peer.Send("14:tlspolicy .com,14:tlsp"u8);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(peer.IsDisposed);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(peer.IsDisposed);
        Assert.Equal(1, data.Service.Counters.Timeouts);
        Assert.Contains("did not take its reply within 30 s", Warning(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_that_ends_in_the_middle_of_a_request_gets_nothing()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("14:tlspolicy .c"u8);
        peer.SendEnd();
        Assert.Empty(peer.Received());
        Assert.True(peer.IsDisposed);
        Assert.Equal(0, data.Service.Counters.Lookups);
    }

    [Fact]
    public async Task Draining_ends_idle_connections_at_once_and_waits_for_a_request_under_way()
    {
        var idle = Connect(MapProtocol.Socketmap);
        var busy = Connect(MapProtocol.Socketmap);
        busy.Send("14:tlspolicy"u8);
        using var deadline = new CancellationTokenSource();
        var drain = registry.DrainAsync(deadline.Token);
        Assert.True(idle.IsDisposed);
        Assert.False(busy.IsDisposed);
        busy.Send(" .com,"u8);
        await drain.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal("9:NOTFOUND ,", Text(busy.Received()));
        Assert.True(busy.IsDisposed);
    }

    [Fact]
    public async Task Draining_closes_what_does_not_end_by_the_deadline()
    {
        var busy = Connect(MapProtocol.Socketmap);
        busy.Send("14:tlspolicy"u8);
        using var deadline = new CancellationTokenSource();
        var drain = registry.DrainAsync(deadline.Token);
        Assert.False(drain.IsCompleted);
        await deadline.CancelAsync();
        await drain.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.True(busy.IsDisposed);
    }

    [Fact]
    public async Task A_peer_that_comes_while_draining_leaves_at_once()
    {
        await registry.DrainAsync(CancellationToken.None);
        Assert.True(Connect(MapProtocol.TcpTable).IsDisposed);
    }

    [Fact]
    public void Many_pipelined_large_answers_are_all_sent()
    {
        var peer = Connect(MapProtocol.Socketmap);
        const int count = 50;
        peer.Send(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("22:tlspolicy most.example,", count))));
        var expected = $"{LookupTestData.Pins1500.Length + 3}:OK {LookupTestData.Pins1500},";
        Assert.Equal(string.Concat(Enumerable.Repeat(expected, count)), Text(peer.Received()));
    }

    [Fact]
    public void A_peer_that_asks_for_much_at_once_lets_the_others_have_their_turn()
    {
        var turn = new TaskCompletionSource();
        var peer = new PipeTransport { Turn = () => turn.Task };
        Assert.True(registry.Admit(peer, registry.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap))));
        const int count = 50;
        peer.Send(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("22:tlspolicy many.example,", count))));
        var length = LookupTestData.Pins60.Length + 9;
        var received = peer.Received().Length;
        Assert.InRange(received, 8 * 1024, (8 * 1024) + length);
        while (received < count * length)
        {
            // Whole requests that wait for their turn are not the peer's fault.
            time.Advance(TimeSpan.FromSeconds(40));
            Assert.False(peer.IsDisposed);
            var last = turn;
            turn = new();
            last.SetResult();
            var more = peer.Received().Length;
            Assert.InRange(more, 1, (8 * 1024) + length);
            received += more;
        }

        Assert.Equal(count * length, received);
    }

    private string Warning() => Assert.Single(logger.Lines, line => line.Level == LogLevel.Warning).Message;

    private PipeTransport Connect(MapProtocol protocol)
    {
        var peer = new PipeTransport();
        Assert.True(registry.Admit(peer, registry.OpenRoom(TestConnections.Endpoint(protocol))));
        return peer;
    }

    private static string Text(byte[] octets) => Encoding.Latin1.GetString(octets);
}
