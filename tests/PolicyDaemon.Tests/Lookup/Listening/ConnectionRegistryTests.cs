using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>Who makes way at the limit, and what each listener keeps, under a clock that only the test moves.</summary>
public sealed class ConnectionRegistryTests : IDisposable
{
    private const int Limit = 16;

    private readonly LookupTestData data = new();
    private readonly FakeTimeProvider time = new();
    private readonly CollectingLogger logger = new();
    private readonly ConnectionRegistry registry;
    private readonly ListenerRoom socketmap;
    private readonly ListenerRoom tcpTable;
    private readonly ListenerRoom unix;
    private int refused;

    public ConnectionRegistryTests()
    {
        registry = Registry(Limit);
        socketmap = Room(MapProtocol.Socketmap);
        tcpTable = Room(MapProtocol.TcpTable);
        unix = Room(MapProtocol.Socketmap, "unix:/run/a");
    }

    public static TheoryData<string, int, string> Attacks => new()
    {
        { "idle on socketmap", 0, "" },
        { "asked once on socketmap", 0, "14:tlspolicy .com," },
        { "one octet sent on socketmap", 0, "2" },
        { "asked once and sent an octet", 0, "14:tlspolicy .com,2" },
        { "idle on tcp_table", 1, "" },
        { "half a request on tcp_table", 1, "get exam" },
        { "asked once on tcp_table", 1, "get .com\n" },
    };

    public void Dispose() => registry.Dispose();

    [Theory]
    [MemberData(nameof(Attacks))]
    public void Nobody_locks_the_clients_of_any_listener_out(string what, int protocol, string sent)
    {
        for (var i = 0; i < 4 * Limit; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            Connect(protocol == 0 ? socketmap : tcpTable)?.Send(Encoding.ASCII.GetBytes(sent));
        }

        // Longer than Postfix takes to send a request or to read a reply, far shorter than any time limit.
        time.Advance(TimeSpan.FromMilliseconds(100));
        refused = 0;
        foreach (var room in (ListenerRoom[])[socketmap, tcpTable, unix])
        {
            for (var i = 0; i < 3 * Limit; i++)
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
                var postfix = Connect(room);
                Assert.NotNull(postfix);
                AssertAnswered(postfix, room);
                postfix.SendEnd();
            }
        }

        Assert.Equal((what, 0), (what, refused));
        Assert.InRange(data.Service.Counters.ConnectionsOpen, 0, Limit);
    }

    [Fact]
    public void A_listeners_own_part_is_out_of_the_others_reach()
    {
        var held = Enumerable.Range(0, 4).Select(_ => Connect(unix)!).ToList();
        var tcpHeld = Connect(tcpTable)!;
        for (var i = 0; i < 100; i++)
            Connect(socketmap)!.Send("14:tlspolicy .com,"u8);
        Assert.All(held, peer => Assert.False(peer.IsDisposed));
        Assert.False(tcpHeld.IsDisposed);
        Assert.Equal(Limit - 4 - 1 - 1, socketmap.Held); // a part of two for each inet listener, one of which is free
    }

    [Fact]
    public void What_a_listener_holds_beyond_its_part_makes_way_for_another()
    {
        for (var i = 0; i < 100; i++)
            Connect(socketmap);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var tcp = Enumerable.Range(0, 8).Select(_ => Connect(tcpTable)!).ToList();
        Assert.All(tcp, peer => Assert.False(peer.IsDisposed));
        Assert.Equal(0, refused);
    }

    [Fact]
    public void A_listener_alone_has_all_of_it()
    {
        using var alone = Registry(3);
        var room = alone.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap));
        for (var i = 0; i < 3; i++)
            Connect(room, alone);
        Assert.Equal(3, data.Service.Counters.ConnectionsOpen);
    }

    [Fact]
    public void When_a_listener_is_gone_its_part_is_the_others()
    {
        for (var i = 0; i < Limit; i++)
            Connect(socketmap);
        Assert.Equal(Limit - 6, socketmap.Held);
        registry.CloseRoom(unix);
        registry.CloseRoom(tcpTable);
        for (var i = 0; i < Limit; i++)
            Connect(socketmap);
        Assert.Equal(Limit, socketmap.Held);
    }

    [Fact]
    public void The_longest_half_sent_request_makes_way_first()
    {
        using var small = Registry(4);
        var room = small.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap));
        var idle = Connect(room, small)!;
        var half = Connect(room, small)!;
        half.Send("14:"u8);
        time.Advance(TimeSpan.FromMilliseconds(10));
        var later = Connect(room, small)!;
        later.Send("14:tlspolicy .com,14:"u8);
        time.Advance(TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < 2; i++)
            Connect(room, small);
        Assert.Equal((true, false, false), (half.IsDisposed, later.IsDisposed, idle.IsDisposed));
        Connect(room, small);
        Assert.Equal((true, false), (later.IsDisposed, idle.IsDisposed));
    }

    [Fact]
    public void Who_never_asked_makes_way_before_who_did_and_socketmap_before_tcp_table()
    {
        using var small = Registry(4);
        var (socketmapRoom, tcpRoom) = (small.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap)), small.OpenRoom(TestConnections.Endpoint(MapProtocol.TcpTable)));
        small.CloseRoom(tcpRoom); // no parts: only the order matters here
        var tcpThatAsked = Connect(tcpRoom, small)!;
        tcpThatAsked.Send("get .com\n"u8);
        var socketmapThatAsked = Connect(socketmapRoom, small)!;
        socketmapThatAsked.Send("14:tlspolicy .com,"u8);
        var tcpNew = Connect(tcpRoom, small)!;
        time.Advance(TimeSpan.FromMilliseconds(1));
        var socketmapNew = Connect(socketmapRoom, small)!;
        socketmapNew.Send("1"u8);
        foreach (var next in (PipeTransport[])[tcpNew, socketmapNew, socketmapThatAsked, tcpThatAsked])
        {
            Assert.False(next.IsDisposed);
            time.Advance(TimeSpan.FromMilliseconds(1));
            var peer = Connect(tcpRoom, small)!;
            peer.Send("get .com\n"u8);
            Assert.True(next.IsDisposed);
        }
    }

    [Fact]
    public void A_client_that_is_about_to_ask_is_not_the_first_to_go()
    {
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            Connect(socketmap);
        }

        for (var i = 0; i < 8; i++)
        {
            var postfix = Connect(tcpTable)!;
            time.Advance(TimeSpan.FromMilliseconds(1));
            Connect(socketmap);
            AssertAnswered(postfix, tcpTable);
        }

        Assert.Equal(0, refused);
    }

    [Fact]
    public void A_peer_that_asked_is_never_ended_while_its_request_arrives()
    {
        using var small = Registry(1);
        var room = small.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap));
        var postfix = Connect(room, small)!;
        postfix.Send("14:tlspolicy .com,14:tlsp"u8);
        time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Null(Connect(room, small));
        Assert.Equal((1, 1), (refused, (int)data.Service.Counters.ConnectionsRefused));
        postfix.Send("olicy .com,"u8);
        Assert.Equal("9:NOTFOUND ,9:NOTFOUND ,", Text(postfix));
    }

    [Fact]
    public void A_reply_that_is_not_taken_makes_way()
    {
        using var small = Registry(1);
        var room = small.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap));
        var deaf = new PipeTransport(takesReplies: false);
        Assert.True(small.Admit(deaf, room));
        deaf.Send("14:tlspolicy .com,"u8);
        Assert.Null(Connect(room, small));
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.NotNull(Connect(room, small));
        Assert.True(deaf.IsDisposed);
    }

    [Fact]
    public async Task Who_has_been_ended_and_is_still_open_counts_in_nobodys_part_and_within_the_bound_of_all()
    {
        var open = new TaskCompletionSource();
        for (var i = 0; i < 3 * Limit; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            var peer = new PipeTransport { Turn = () => open.Task };
            if (registry.Admit(peer, socketmap))
                peer.Send(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("22:tlspolicy many.example,", 50))));
            else
                refused++;
        }

        // Twice the limit, less what is kept for the others.
        Assert.Equal((2 * Limit) - 4 - 2, data.Service.Counters.ConnectionsOpen);
        Assert.Equal(Limit + 4 + 2, refused);
        Assert.Equal(Limit - 4 - 2, socketmap.Held);
        var kept = Enumerable.Range(0, 4).Select(_ => Connect(unix)).Concat(Enumerable.Range(0, 2).Select(_ => Connect(tcpTable))).ToList();
        Assert.All(kept, peer => Assert.False(peer!.IsDisposed));

        open.SetResult();
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen <= Limit, what: "those that were ended are closed");
        Assert.NotNull(Connect(socketmap));
    }

    [Fact]
    public void Being_full_is_said_a_bounded_number_of_times_and_names_the_listener()
    {
        for (var i = 0; i < 1000; i++)
            Connect(socketmap);
        var line = Assert.Single(logger.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Contains("No room for a new connection on inet:127.0.0.1:0, which has 10 (max_connections 16", line.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("22:tlspolicy most.example,", 0)]
    [InlineData("22:tlspolicy .example.com,", 500)]
    public void A_peer_that_does_not_read_leaves_a_bounded_number_of_octets(string request, int repeated)
    {
        var peer = new PipeTransport(takesReplies: false);
        Assert.True(registry.Admit(peer, socketmap));
        for (var i = 0; i <= repeated; i++)
            peer.Send(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, 100))));
        Assert.InRange(peer.Unread, 1, (8 * 1024) + 100_010);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_kept_for_all_peers_that_keep_us_waiting_has_a_bound_and_is_given_back(bool unread)
    {
        const int bound = 1024 * 1024;
        using var held = new ConnectionRegistry(data.Service, new LookupOptions { MaxPeerMemory = bound }, logger, time);
        var room = held.OpenRoom(TestConnections.Endpoint(unread ? MapProtocol.Socketmap : MapProtocol.TcpTable));
        var reader = Connect(room, held)!;
        var octets = unread ? LookupTestData.Pins1500.Length : 29_000;
        for (var round = 1; round <= 3; round++)
        {
            var peers = new List<PipeTransport>();
            for (var i = 0; i < 300; i++)
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
                peers.Add(new PipeTransport(takesReplies: false));
                Assert.True(held.Admit(peers[^1], room));
                peers[^1].Send(unread ? "22:tlspolicy most.example,"u8 : Encoding.ASCII.GetBytes("get " + new string('x', octets)));
                Assert.InRange(peers.Count(peer => !peer.IsDisposed) * octets, 0, bound);
            }

            // The longest went first; who does as it should was not touched.
            var left = peers.FindIndex(peer => !peer.IsDisposed);
            Assert.All(peers[left..], peer => Assert.False(peer.IsDisposed));
            Assert.InRange((peers.Count - left) * octets, bound / 2, bound);
            AssertAnswered(reader, room);
            peers.ForEach(peer => peer.Dispose());
            Assert.Equal(1, data.Service.Counters.ConnectionsOpen);
        }

        var said = unread ? "did not take its reply before" : "did not send its whole request before";
        Assert.Contains(logger.Lines, line => line.Message.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public void The_end_of_a_crowd_is_told_once()
    {
        using var large = Registry(1000);
        var room = large.OpenRoom(TestConnections.Endpoint(MapProtocol.Socketmap));
        var few = Enumerable.Range(0, 100).Select(_ => Connect(room, large)!).ToList();
        few[..90].ForEach(peer => peer.SendEnd());
        Assert.False(large.TakeRelief());

        var many = Enumerable.Range(0, 500).Select(_ => Connect(room, large)!).ToList();
        Assert.False(large.TakeRelief());
        many.ForEach(peer => peer.SendEnd());
        Assert.True(large.TakeRelief());
        Assert.False(large.TakeRelief());
    }

    [Fact]
    public void Many_connections_one_after_the_other_are_told_once()
    {
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 5000; i++)
            {
                Assert.False(registry.TakeRelief());
                Connect(socketmap)!.SendEnd();
            }

            Assert.True(registry.TakeRelief());
        }
    }

    [Fact]
    public void That_memory_was_short_is_told_once_it_is_not_any_more()
    {
        using var small = new ConnectionRegistry(data.Service, new LookupOptions { MaxPeerMemory = 1000 }, logger, time);
        var room = small.OpenRoom(TestConnections.Endpoint(MapProtocol.TcpTable));
        var peers = Enumerable.Range(0, 3).Select(_ => Connect(room, small)!).ToList();
        peers.ForEach(peer => peer.Send(Encoding.ASCII.GetBytes(new string('x', 400))));
        Assert.Equal(1, peers.Count(peer => !peer.IsDisposed));
        Assert.False(small.TakeRelief());
        peers.ForEach(peer => peer.Dispose());
        Assert.True(small.TakeRelief());
        Assert.False(small.TakeRelief());
    }

    private static void AssertAnswered(PipeTransport peer, ListenerRoom room)
    {
        peer.Send(room.Endpoint.Protocol == MapProtocol.Socketmap ? "14:tlspolicy .com,"u8 : "get .com\n"u8);
        Assert.Equal(room.Endpoint.Protocol == MapProtocol.Socketmap ? "9:NOTFOUND ," : "500 not%20found\n", Text(peer));
    }

    private static string Text(PipeTransport peer) => Encoding.Latin1.GetString(peer.Received());

    private ConnectionRegistry Registry(int limit) => new(data.Service, new LookupOptions { MaxConnections = limit }, logger, time);

    private ListenerRoom Room(MapProtocol protocol, string text = "inet:127.0.0.1:0") => registry.OpenRoom(TestConnections.Endpoint(protocol, text));

    /// <returns>Null where it was refused.</returns>
    private PipeTransport? Connect(ListenerRoom room, ConnectionRegistry? to = null)
    {
        var peer = new PipeTransport();
        if ((to ?? registry).Admit(peer, room))
            return peer;
        refused++;
        return null;
    }
}
