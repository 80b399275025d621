using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Systemd;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class SystemdTests
{
    [Theory]
    [InlineData("100", "2", 2)]
    [InlineData("101", "2", 0)]
    [InlineData(null, null, 0)]
    [InlineData("100", null, 0)]
    [InlineData("100", "-1", 0)]
    [InlineData("100", "many", 0)]
    [InlineData("", "2", 0)]
    public void Descriptors_are_taken_only_where_they_are_meant_for_us(string? listenPid, string? listenFds, int count) =>
        Assert.Equal(count, InheritedSockets.Count(listenPid, listenFds, 100));

    [Fact]
    public void A_socket_is_matched_to_the_endpoint_of_its_address_whatever_the_order()
    {
        using var first = Listening();
        using var second = Listening();
        var endpoints = new[] { Endpoint(second), Endpoint(first) };
        var matched = InheritedSockets.Match("policydaemon.conf", [first, second], endpoints);
        Assert.Equal([(first, endpoints[1]), (second, endpoints[0])], matched);
    }

    [Fact]
    public void A_socket_without_an_endpoint_is_an_error_that_says_what_to_do()
    {
        using var socket = Listening();
        using var other = Listening();
        var exception = Assert.Throws<ConfigurationException>(
            () => InheritedSockets.Match("policydaemon.conf", [socket, other], [Endpoint(other)]));
        var problem = Assert.Single(exception.Problems);
        Assert.Contains(socket.LocalEndPoint!.ToString()!, problem.Message, StringComparison.Ordinal);
        Assert.Contains("systemctl daemon-reload && systemctl restart policyd.socket", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30000000", null, 15.0)]
    [InlineData("30000000", "100", 15.0)]
    [InlineData("30000000", "101", null)]
    [InlineData("0", null, null)]
    [InlineData("never", null, null)]
    [InlineData(null, null, null)]
    public void The_watchdog_is_fed_at_half_its_time(string? microseconds, string? process, double? seconds) =>
        Assert.Equal(seconds, Watchdog.Interval(microseconds, process, 100)?.TotalSeconds);

    [Theory]
    [InlineData("9:4711", "socket:[4711]", true)]
    [InlineData("9:4711", "socket:[47]", false)]
    [InlineData("9:4711", "/dev/pts/0", false)]
    [InlineData(null, "socket:[4711]", false)]
    [InlineData("9:4711", null, false)]
    [InlineData("4711", "socket:[4711]", false)]
    public void Log_lines_have_a_priority_where_the_journal_itself_reads_them(string? journalStream, string? descriptor, bool expected) =>
        Assert.Equal(expected, ServiceManager.IsStream(journalStream, descriptor));

    private static Socket Listening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static MapEndpoint Endpoint(Socket socket)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, $"inet:{socket.LocalEndPoint}", out var endpoint, out var reason), reason);
        return endpoint;
    }
}
